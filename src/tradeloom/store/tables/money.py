"""Tables of the six ledgers: who has what, and every movement.

One leg of the engine is one transfer between the customer's and the house's account of the same
ledger and currency; its id is (shard, input_seq, leg). A positive `amount` debits the house and
credits the customer, a negative one the reverse, so debits equal credits by construction.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table

from .columns import U64, Wide
from .meta import metadata

ledger_accounts = Table(
    "ledger_accounts",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("account", U64, primary_key=True, autoincrement=False),  # 0: the house
    Column("ledger", SmallInteger, primary_key=True, autoincrement=False),
    Column("sub", SmallInteger, primary_key=True, autoincrement=False),  # 1: credit
    Column("currency", Integer, primary_key=True, autoincrement=False),
    Column("debits", Wide, nullable=False),  # both only grow; balance = credits - debits
    Column("credits", Wide, nullable=False),
    sqlite_with_rowid=False,
)
ledger_transfers = Table(
    "ledger_transfers",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("input_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("leg", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("account", U64, nullable=False),
    Column("ledger", SmallInteger, nullable=False),
    Column("sub", SmallInteger, nullable=False),
    Column("currency", Integer, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("amount", Wide, nullable=False),
    Column("after", Wide),  # cash only: what the customer had after this leg
    Column("reference", U64, nullable=False),
    Index("ledger_transfers_account", "account", "ts", "input_seq", "leg"),
    sqlite_with_rowid=False,
)
balance_operations = Table(
    "balance_operations",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("ts", BigInteger, nullable=False),
    Column("account", U64, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("amount", Wide, nullable=False),
    Column("balance", Wide, nullable=False),  # after it
    Column("credit", Wide, nullable=False),
    Column("reference", U64, nullable=False),
    Index("balance_operations_account", "account", "seq"),
    sqlite_with_rowid=False,
)
