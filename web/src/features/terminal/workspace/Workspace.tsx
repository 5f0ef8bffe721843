import {
  Actions,
  Layout as Dock,
  DockLocation,
  type IJsonModel,
  Model,
  type Node,
  type RowNode,
  TabNode,
  TabSetNode,
} from "flexlayout-react";
import type { Ref } from "react";
import { type ReactNode, useImperativeHandle, useMemo, useRef } from "react";
import { t } from "@/text";
import {
  type Group,
  isGroup,
  type Layout,
  type PanelId,
  type Place,
  panelsOf,
  TITLES,
} from "./layouts";

export type WorkspaceHandle = { open: (panel: PanelId) => void; next: (way: 1 | -1) => void };

/**
 * Panels that are docked, tabbed, dragged, maximised and closed. Everything about the dock library is in
 * this file; the rest of the app knows `Layout` and panel names only.
 */
export function Workspace({
  layout,
  onChange,
  panel,
  ref,
}: {
  /** Read when it changes by identity. */
  layout: Layout;
  onChange: (layout: Layout) => void;
  panel: (id: PanelId) => ReactNode;
  ref?: Ref<WorkspaceHandle>;
}) {
  const shown = useRef<{ layout: Layout; model: Model } | null>(null);
  const model = useMemo(() => {
    // Our own echo of what the user dragged is no reason to build everything anew.
    if (shown.current && JSON.stringify(shown.current.layout) === JSON.stringify(layout))
      return shown.current.model;
    const made = Model.fromJson(toDock(layout));
    shown.current = { layout, model: made };
    return made;
  }, [layout]);
  useImperativeHandle(ref, () => ({
    open: (id) => {
      if (model.getNodeById(id)) {
        model.doAction(Actions.selectTab(id));
        return;
      }
      const target = model.getActiveTabset() ?? model.getFirstTabSet();
      if (!target) return;
      const json = { type: "tab", id, name: t(TITLES[id]), component: id };
      model.doAction(Actions.addTab(json, target.getId(), DockLocation.CENTER, -1, true));
    },
    next: (way) => {
      const sets: TabSetNode[] = [];
      model.visitNodes((node: Node) => {
        if (node instanceof TabSetNode) sets.push(node);
      });
      const at = sets.indexOf(model.getActiveTabset() as TabSetNode);
      const next = sets[(at + way + sets.length) % sets.length];
      if (!next) return;
      model.doAction(Actions.setActiveTabset(next.getId()));
      const id = next.getSelectedNode()?.getId();
      const box = document.querySelector<HTMLElement>(`[data-panel="${id}"]`);
      (box?.querySelector<HTMLElement>("input,[tabindex='0'],button") ?? box)?.focus();
    },
  }));
  return (
    <Dock
      model={model}
      factory={(node) => {
        const id = node.getComponent() as PanelId;
        return (
          <section
            data-panel={id}
            aria-label={t(TITLES[id])}
            tabIndex={-1}
            className="h-full min-h-0 outline-none"
          >
            {panel(id)}
          </section>
        );
      }}
      realtimeResize={false}
      onModelChange={(changed) => {
        const root = changed.getRootRow();
        const next = root ? fromDock(root) : null;
        if (!next || panelsOf(next).length === 0) return;
        shown.current = { layout: next, model: changed };
        onChange(next);
      }}
    />
  );
}

function toDock(layout: Layout): IJsonModel {
  const place = (each: Place): object =>
    isGroup(each)
      ? {
          type: "tabset",
          weight: each.weight,
          selected: Math.max(0, each.active ? each.tabs.indexOf(each.active) : 0),
          children: each.tabs.map((id) => ({
            type: "tab",
            id,
            name: t(TITLES[id]),
            component: id,
          })),
        }
      : { type: "row", weight: each.weight, children: each.parts.map(place) };
  // The library alternates directions from the outside in; its root is a row unless told otherwise.
  return {
    global: {
      rootOrientationVertical: layout.split === "column",
      splitterSize: 6,
      tabEnableRename: false,
      tabEnablePopout: false,
      tabSetEnableTabStrip: true,
      tabEnableRenderOnDemand: true,
      tabSetMinWidth: 160,
      tabSetMinHeight: 90,
    },
    borders: [],
    layout: { type: "row", weight: 100, children: layout.parts.map(place) },
  } as unknown as IJsonModel;
}

function fromDock(root: RowNode): Layout | null {
  const place = (node: Node, vertical: boolean): Place | null => {
    if (node instanceof TabSetNode) {
      const tabs = node.getChildren().map((each) => (each as TabNode).getComponent() as PanelId);
      const active = node.getSelectedNode();
      const group: Group = { tabs, weight: rounded(node.getWeight()) };
      return tabs.length
        ? {
            ...group,
            ...(active instanceof TabNode ? { active: active.getComponent() as PanelId } : {}),
          }
        : null;
    }
    const parts = node
      .getChildren()
      .map((each) => place(each, !vertical))
      .filter((each) => each !== null);
    if (!parts.length) return null;
    return {
      split: vertical ? "column" : "row",
      weight: rounded((node as RowNode).getWeight()),
      parts,
    };
  };
  const vertical = root.getModel().isRootOrientationVertical();
  const made = place(root, vertical);
  return made && !isGroup(made) ? made : null;
}

const rounded = (weight: number): number => Math.max(1, Math.round(weight * 100) / 100);
