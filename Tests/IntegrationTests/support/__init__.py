"""The parts of the tests: namespaces, the program under test, small apps and clients."""
