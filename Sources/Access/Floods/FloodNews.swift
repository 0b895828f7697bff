/// What becomes of a flood of clients whose address may not come in.
package enum FloodNews {
    /// At least so many have come in a second; the kernel drops what they send from now on.
    case begins(perSecond: Int)
    /// They are reset again, after the kernel has dropped so many attempts to connect.
    case ends(dropped: Int)
    /// The kernel drops nothing: the list is too long for a filter, or the system refuses it.
    case cannotBeDropped(reason: String)
}
