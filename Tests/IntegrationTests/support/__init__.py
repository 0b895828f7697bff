"""What the tests are made of: namespaces, the program under test, small apps and clients."""
