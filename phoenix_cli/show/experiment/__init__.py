"""An experiment in a terminal: how it stands (`status`, `standing`), what was decided and why (`ruling`, `explaining`),
and what that rests on (`facts`, `kpis`, `compare`, `verifying` and others). Its page is in `report`."""
