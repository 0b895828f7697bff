/// A value together with where it was given.
struct Located<Value: Sendable & Equatable>: Sendable, Equatable {
    var value: Value
    var location: Diagnostic.Location
}
