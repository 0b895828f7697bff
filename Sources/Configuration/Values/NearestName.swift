/// The known name that the given one was probably meant to be; nil when none is near.
///
/// Near is one slip (a character missing, too many, wrong, or two swapped) in three characters.
func nearestName(to given: String, among known: [String]) -> String? {
    let given = Array(given.unicodeScalars.prefix(100))
    let ranked = known.map { (name: $0, distance: editDistance(given, Array($0.unicodeScalars))) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, min(given.count, best.name.count) / 3) ? best.name : nil
}

/// The fewest edits that turn one text into the other (optimal string alignment: Levenshtein's and swaps).
private func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for (row, character) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            var distance = min(
                previous[column + 1] + 1, current[column] + 1, previous[column] + (character == other ? 0 : 1))
            if row > 0, column > 0, character == right[column - 1], left[row - 1] == other {
                distance = min(distance, beforePrevious[column - 1] + 1)
            }
            current.append(distance)
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[right.count]
}
