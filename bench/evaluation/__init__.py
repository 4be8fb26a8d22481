"""`bench evaluation`: how often the rule errs, by simulation (`noise`, `methods`, `canary`), and its `page` in the
guide; `bench evaluation_looks`: what a look takes (`looks`). No rule of the product's is written here."""
