"""`bench catalog`: every pipeline beside what people use today. `catalog` runs it: `subjects`, a `looking`, `costing`,
`exactness`; `targets` and `columns` say how it is judged and shown, `page` writes it into the catalog."""
