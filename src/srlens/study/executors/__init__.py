"""Where jobs run, all through the interface of :class:`concurrent.futures.Executor`."""
