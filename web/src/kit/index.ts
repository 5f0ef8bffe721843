/** The component kit. Pages build from these; what is missing is added here, not next to a page. */
export { Button, type ButtonLook, IconButton } from "./Button";
export { Confirm, HoldButton } from "./Confirm";
export { cx } from "./cx";
export {
  type Column,
  DataTable,
  downloadCsv,
  rowHeight,
  type Sorting,
  saveFile,
} from "./DataTable";
export { Dialog } from "./Dialog";
export { Checkbox, Field, Input, TextArea, TextField, type Wiring } from "./Field";
export { LazyMenu } from "./LazyMenu";
export { ContextMenu, Menu, type MenuItem } from "./Menu";
export { NumberField } from "./NumberField";
export { Figure, Panel } from "./Panel";
export { Segments } from "./Segments";
export { type Choice, Select } from "./Select";
export { Empty, Failed, Loading, Status, Tag, type Tone } from "./states";
export { Tabs } from "./Tabs";
export { toast } from "./toast";
