import Configuration
import Network
import Testing

@testable import Proxy

@Suite struct ListenerSetTests {}
