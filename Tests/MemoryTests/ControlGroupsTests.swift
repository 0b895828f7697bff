import Testing

@testable import Memory

/// What is made of the kernel's files, as they are on machines of all kinds.
struct ControlGroupsTests {
    private func readings(_ files: [String: String]) -> [MemoryReading] {
        ControlGroups { files[$0] }.readings()
    }

    private func cgroup(_ limit: Int, _ used: Int, sockets: Bool = true) -> MemoryReading {
        MemoryReading(.cgroup, limit: limit, used: used, includesSockets: sockets)
    }

    // MARK: Version 2

    @Test("a container sees its own cgroup at the top")
    func container() {
        let files = [
            "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "67108864\n",
            "/sys/fs/cgroup/memory.high": "max\n", "/sys/fs/cgroup/memory.current": "20000000\n",
            "/sys/fs/cgroup/memory.stat": "anon 100\nfile 9000000\n",
        ]
        #expect(readings(files) == [cgroup(67_108_864, 20_000_000)])
    }

    @Test("files that nobody uses don't count, programs that run and sockets do")
    func files() {
        let files = [
            "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "67108864\n",
            "/sys/fs/cgroup/memory.current": "50000000\n",
            "/sys/fs/cgroup/memory.stat":
                "anon 5000000\nsock 9000000\nfile_mapped 6000000\nactive_file 10000000\ninactive_file 20000000\nslab_reclaimable 1000000\n",
        ]
        #expect(readings(files) == [cgroup(67_108_864, 50_000_000 - 24_000_000 - 1_000_000)])
    }

    @Test("more mapped files than files doesn't make the use larger, nor more files than use smaller than nothing")
    func oddStatistics() {
        var files = [
            "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "1000\n",
            "/sys/fs/cgroup/memory.current": "500\n",
            "/sys/fs/cgroup/memory.stat": "file_mapped 300\nactive_file 100\ninactive_file 100\n",
        ]
        #expect(readings(files) == [cgroup(1000, 500)])
        files["/sys/fs/cgroup/memory.stat"] = "active_file 900\n"
        #expect(readings(files) == [cgroup(1000, 0)])
    }

    @Test("memory.high counts as a limit where it is the lower one")
    func high() {
        let files = [
            "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n", "/sys/fs/cgroup/memory.high": "1000\n",
            "/sys/fs/cgroup/memory.current": "10\n",
        ]
        #expect(readings(files) == [cgroup(1000, 10)])
    }

    @Test("the limits of all above count, from the inside out")
    func ancestors() {
        let files = [
            "/proc/self/cgroup": "0::/system.slice/app.service\n",
            "/sys/fs/cgroup/system.slice/app.service/memory.max": "max\n",
            "/sys/fs/cgroup/system.slice/app.service/memory.current": "10\n",
            "/sys/fs/cgroup/system.slice/memory.max": "5000\n", "/sys/fs/cgroup/system.slice/memory.current": "4000\n",
        ]
        #expect(readings(files) == [cgroup(5000, 4000)])
    }

    @Test("a limit of its own and one above are two")
    func both() {
        let files = [
            "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "100\n",
            "/sys/fs/cgroup/a/b/memory.current": "1\n", "/sys/fs/cgroup/a/memory.max": "200\n",
            "/sys/fs/cgroup/a/memory.current": "199\n",
        ]
        #expect(readings(files) == [cgroup(100, 1), cgroup(200, 199)])
    }

    @Test("a path that leads out of what can be seen, and one that can't be seen, lead to the top")
    func hidden() {
        for path in ["/../other", "/docker/0123", "/"] {
            let files = [
                "/proc/self/cgroup": "0::\(path)\n", "/sys/fs/cgroup/memory.max": "100\n",
                "/sys/fs/cgroup/memory.current": "1\n",
            ]
            #expect(readings(files) == [cgroup(100, 1)], "\(path)")
        }
    }

    @Test("a path may have colons and blanks in it")
    func oddNames() {
        let files = [
            "/proc/self/cgroup": "0::/a:b c\n", "/sys/fs/cgroup/a:b c/memory.max": "100\n",
            "/sys/fs/cgroup/a:b c/memory.current": "1\n",
        ]
        #expect(readings(files) == [cgroup(100, 1)])
    }

    // MARK: Version 1

    private let hierarchies = "12:cpu,cpuacct:/x\n9:memory:/docker/0123\n0::/\n"

    @Test("a container of version 1 without a namespace of its own sees its cgroup at the top, under another path")
    func version1() {
        let files = [
            "/proc/self/cgroup": hierarchies, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "33554432\n",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes": "9000000\n",
            "/sys/fs/cgroup/memory/memory.stat":
                "cache 1\ntotal_active_file 1000000\ntotal_inactive_file 2000000\ntotal_mapped_file 500000\nhierarchical_memory_limit 33554432\n",
        ]
        #expect(readings(files) == [cgroup(33_554_432, 6_500_000, sockets: false)])
    }

    @Test("the kernel's number for no limit is none, whatever the size of a page")
    func noLimit() {
        for number in ["9223372036854771712", "9223372036854710272", "18446744073709551615", "-1", "max", ""] {
            let files = [
                "/proc/self/cgroup": hierarchies, "/sys/fs/cgroup/memory/memory.limit_in_bytes": number + "\n",
                "/sys/fs/cgroup/memory/memory.usage_in_bytes": "9000000\n",
                "/sys/fs/cgroup/memory/memory.stat": "hierarchical_memory_limit 9223372036854771712\n",
            ]
            #expect(readings(files) == [], "\(number)")
        }
    }

    @Test("a limit above what can be seen is known by the hierarchical one")
    func hierarchical() {
        let files = [
            "/proc/self/cgroup": hierarchies, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes": "10\n",
            "/sys/fs/cgroup/memory/memory.stat": "hierarchical_memory_limit 1000\n",
        ]
        #expect(readings(files) == [cgroup(1000, 10, sockets: false)])
    }

    @Test("a nested group of version 1 counts, and the one above")
    func nested() {
        let files = [
            "/proc/self/cgroup": hierarchies, "/sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes": "100\n",
            "/sys/fs/cgroup/memory/docker/0123/memory.usage_in_bytes": "1\n",
            "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes": "300\n",
            "/sys/fs/cgroup/memory/docker/memory.usage_in_bytes": "200\n",
        ]
        #expect(readings(files) == [cgroup(100, 1, sockets: false), cgroup(300, 200, sockets: false)])
    }

    // MARK: Mixed and missing

    @Test("in a hybrid layout memory is of version 1 or of 2, wherever its files are")
    func hybrid() {
        let first = [
            "/proc/self/cgroup": hierarchies, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "100\n",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes": "1\n", "/sys/fs/cgroup/unified/cgroup.procs": "1\n",
        ]
        #expect(readings(first) == [cgroup(100, 1, sockets: false)])
        let second = [
            "/proc/self/cgroup": "3:cpu:/\n0::/a\n", "/sys/fs/cgroup/unified/a/memory.max": "100\n",
            "/sys/fs/cgroup/unified/a/memory.current": "1\n",
        ]
        #expect(readings(second) == [cgroup(100, 1)])
    }

    @Test(
        "nothing, or nonsense, is no limit",
        arguments: [
            [:], ["/proc/self/cgroup": ""], ["/proc/self/cgroup": "nonsense\n::\n:\n0\n"],
            ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "100\n"],
            ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.current": "100\n"],
            [
                "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "ten\n",
                "/sys/fs/cgroup/memory.current": "1\n",
            ],
        ])
    func nothing(files: [String: String]) {
        #expect(readings(files) == [])
    }

    @Test("a limit of nothing at all is one")
    func zero() {
        let files = [
            "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "0\n", "/sys/fs/cgroup/memory.current": "5\n",
        ]
        #expect(readings(files) == [cgroup(0, 5)])
    }
}

struct ResourceLimitsTests {
    /// size resident shared text lib data dt, in pages
    private let statm = "50000 1000 500 300 0 8000 0\n"

    @Test("each limit has its own number of pages")
    func pages() {
        let limits = ResourceLimits(addressSpace: 1 << 30, data: 256 << 20)
        #expect(
            limits.readings(statm: statm, pageSize: 4096, free: { 0 }) == [
                MemoryReading(.addressSpace, limit: 1 << 30, used: 50000 * 4096),
                MemoryReading(.data, limit: 256 << 20, used: 8000 * 4096),
            ])
    }

    @Test("what the allocator keeps counts by half, and is asked for only where little is left")
    func allocator() {
        var asked = 0
        let scarce = ResourceLimits(data: 40 << 20)
            .readings(statm: statm, pageSize: 4096) {
                asked += 1
                return 20 << 20
            }
        #expect(scarce == [MemoryReading(.data, limit: 40 << 20, used: 8000 * 4096 - (10 << 20))])
        #expect(asked == 1)
        _ = ResourceLimits(data: 1 << 30)
            .readings(statm: statm, pageSize: 4096) {
                asked += 1
                return 0
            }
        #expect(asked == 1)
    }

    @Test("what was set for the process alone counts its own pages, whatever the allocator keeps")
    func setting() {
        let limits = ResourceLimits(data: 1 << 30, ceiling: 3 << 20)
        #expect(
            limits.readings(statm: statm, pageSize: 4096, free: { 20 << 20 }) == [
                MemoryReading(.data, limit: 1 << 30, used: 8000 * 4096),
                MemoryReading(.setting, limit: 3 << 20, used: 500 * 4096),
            ])
        #expect(MemoryProbe.read(ceiling: 1)?.source == .setting, "it is the nearest that there can be")
    }

    @Test("without limits, without /proc, or with nonsense nothing is known")
    func nothing() {
        #expect(ResourceLimits().readings(statm: statm, pageSize: 4096, free: { 0 }) == [])
        for text in [nil, "", "1 2 3", "nonsense"] {
            #expect(
                ResourceLimits(data: 1).readings(statm: text, pageSize: 4096, free: { 0 }) == [], "\(text ?? "nil")")
        }
    }

    @Test("the nearest is the one that gives out least, not the lowest")
    func nearest() {
        let low = MemoryReading(.data, limit: 64 << 20, used: 1 << 20)
        let high = MemoryReading(.cgroup, limit: 1 << 30, used: 960 << 20)
        #expect(MemoryProbe.nearest(of: [low, high]) == high)
        #expect(MemoryProbe.nearest(of: [low]) == low)
        #expect(MemoryProbe.nearest(of: []) == nil)
    }

    @Test("this process can be looked at")
    func thisProcess() {
        // Whatever the machine's limits are: what is found is sound.
        if let reading = MemoryProbe.read() { #expect(reading.limit > 0 && reading.used > 0) }
        #expect(ResourceLimits.freeInAllocator >= 0)
    }
}
