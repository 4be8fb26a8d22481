"""What benchmarks run and read figures with: collectors under test (`arms`, `running`), where they send to
(`receiver`), what they and the kernel count (`selfcount`, `proc`), many items at once (`filling`), what held meanwhile
(`conditions`). No benchmark, and no table of one."""
