/** Every right there is, in words. */
export const RIGHTS: readonly (readonly [scope: string, meaning: string])[] = [
  ["profile", "Own profile, sessions, keys"],
  ["market:read", "See instruments, quotes, charts"],
  ["accounts:read", "See the own accounts"],
  ["trade", "Trade on the own accounts"],
  ["accounts:read_all", "See everybody's accounts and exposure"],
  ["trade_all", "Trade on everybody's accounts"],
  ["accounts:manage", "Open, change, close accounts"],
  ["money", "Deposits, withdrawals, credit, corrections"],
  ["instruments:manage", "Change groups and instruments"],
  ["state:manage", "Trading state and kill switch"],
  ["ledger:read", "Read the ledgers"],
  ["users:read", "See users and roles"],
  ["users:manage", "Manage traders"],
  ["roles:manage", "Manage staff and roles"],
  ["audit:read", "Read the audit trail"],
  ["system:read", "Health, journal, metrics"],
];
