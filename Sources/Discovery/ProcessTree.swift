/// The processes' parents and children (/proc/PID/stat, proc(5)).
public enum ProcessTree {
    /// Returns a process and all of its descendants at this moment. Reads every process's file: not for a worker's loop.
    public static func descendants(of root: Int) -> Set<Int> {
        var children: [Int: [Int]] = [:]
        for id in ProcFileSystem.names(in: "/proc").compactMap({ Int($0) }) {
            guard let parent = ProcessStatus(of: id)?.parent else { continue }
            children[parent, default: []].append(id)
        }
        var found: Set<Int> = [root]
        var unvisited = [root]
        while let id = unvisited.popLast() {
            for child in children[id] ?? [] where found.insert(child).inserted { unvisited.append(child) }
        }
        return found
    }
}
