/// A change in a flood of clients whose addresses are denied.
package enum FloodNews {
    /// At least this many have come in a second; the kernel drops what they send from now on.
    case begins(perSecond: Int)
    /// The flood is over: clients are reset again, after the kernel has dropped this many attempts to connect.
    case ends(dropped: Int)
    /// The kernel drops nothing: the list is too long for a filter, or the system refuses it.
    case cannotBeDropped(reason: String)
}
