"""The login plugins that ship with authgw, one file each, written against `authgw.contract` only."""
