"""The fleet: what a host's supervisor says (`report`), what is known of it and wanted from it (`state`), and what
follows (`assignments`, `receive`, `judge`, `status`). Pure: no clock, no wire format, no store."""
