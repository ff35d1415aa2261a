import Foundation
import Testing

@testable import Reporting

@Suite struct ProcessTests {
  /// See proc(5); the name may hold blanks and parentheses.
  @Test(arguments: ["(dtrain)", "(a b)", "(x) R 1 (y)"]) func theStartIsThe22ndField(name: String) {
    let fields = (3...52).map { $0 == 22 ? "123456" : "\($0)" }.joined(separator: " ")
    #expect(ProcessStart.startTicks("4711 \(name) \(fields)\n") == 123_456)
    #expect(ProcessStart.startTicks("4711 \(name) R 1 2\n") == nil)
    #expect(ProcessStart.startTicks("") == nil)
  }

  #if os(Linux)
    @Test func thisProcessWasStartedABitAgo() throws {
      let start = monotonicSeconds()
      let first = try #require(ProcessStart.elapsedSeconds())
      let inner = monotonicSeconds()
      #expect(first > 0 && first < 24 * 3600)
      #expect(ProcessStart.resolution > 0 && ProcessStart.resolution <= 0.1)
      usleep(20_000)
      let slept = monotonicSeconds() - inner
      let second = try #require(ProcessStart.elapsedSeconds())
      let outer = monotonicSeconds() - start
      // The same clock as the other one, but for its origin.
      #expect(second - first >= slept - 1e-6 && second - first <= outer + 1e-6)
    }

    @Test func ownMemoryGrowsWithTheHeapAndMappedDataDoNotCount() throws {
      // Other tests allocate and free beside this one, though not so much.
      let heapSize = 512 << 20
      let before = try #require(ProcessMemory.current())
      let heap = UnsafeMutableRawPointer.allocate(byteCount: heapSize, alignment: 4096)
      memset(heap, 1, heapSize)
      let after = try #require(ProcessMemory.current())
      heap.deallocate()
      #expect(after.anonymous - before.anonymous > heapSize / 2)
      #expect(after.peak >= after.anonymous)

      let size = 32 << 20
      let path = FileManager.default.temporaryDirectory.appending(path: "mapped-\(UUID().uuidString)").path
      _ = FileManager.default.createFile(atPath: path, contents: Data(repeating: 1, count: size))
      defer { unlink(path) }
      let file = open(path, O_RDONLY)
      let mapped = try #require(mmap(nil, size, PROT_READ, MAP_SHARED, file, 0))
      close(file)
      var sum = 0
      for page in stride(from: 0, to: size, by: 4096) { sum += Int(mapped.load(fromByteOffset: page, as: UInt8.self)) }
      let mappedMemory = try #require(ProcessMemory.current())
      munmap(mapped, size)
      #expect(sum == size / 4096)
      #expect(mappedMemory.data - after.data > size / 2)
    }
  #endif

  @Test func everyKindOfMappingHasItsPlace() {
    let status = "Name:\tx\nVmHWM:\t  1000 kB\nVmRSS:\t 900 kB\n"
    func mapping(_ permissions: String, _ path: String, resident: Int, anonymous: Int) -> String {
      "7f0000000000-7f0000001000 \(permissions) 00000000 08:01 42 \(path)\nSize: 9999 kB\nRss: \(resident) kB\n"
        + "Pss: 1 kB\nAnonymous: \(anonymous) kB\nAnonHugePages: 0 kB\nVmFlags: rd mr\n"
    }
    let maps =
      mapping("r-xp", "/usr/lib/libm.so.6", resident: 30, anonymous: 0)
      // Its variables, of which some were written.
      + mapping("rw-p", "/usr/lib/libm.so.6", resident: 5, anonymous: 3)
      + mapping("rw-p", "", resident: 100, anonymous: 100) + mapping("rw-p", "[heap]", resident: 200, anonymous: 200)
      + mapping("r--s", "/home/a b/data.idx", resident: 400, anonymous: 0)
      + mapping("rw-s", "/dev/shm/vader_segment.x", resident: 50, anonymous: 0)
    let memory = ProcessMemory(status: status, maps: maps)
    #expect(
      memory
        == ProcessMemory(
          peak: 1000 << 10, anonymous: 303 << 10, shared: 50 << 10, program: 32 << 10, data: 400 << 10))
    #expect(memory?.own == 600 << 10)
    #expect(ProcessMemory(status: "Name: x\n", maps: maps) == nil)
  }

  @Test func columnsAreAligned() {
    var table = TextTable([.left, .right, .left])
    table.add(["name", "µs", "note"])
    table.add(["a", "10.5", ""])
    table.add(["longer", "7"])
    #expect(table.lines == ["name      µs  note", "a       10.5", "longer     7"])
  }
}
