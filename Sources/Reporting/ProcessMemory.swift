/// The memory of this process that is in RAM, and what it is for.
public struct ProcessMemory: Equatable, Sendable {
  /// The most there was at any time, all kinds together. In bytes, as everything here.
  public var peak: Int
  /// What belongs to this process alone: heap, stacks, and what it has written of its pages of files.
  public var anonymous: Int
  /// Memory that processes write together, such as MPI's between the ranks of a node.
  public var shared: Int
  /// Pages of the program and its libraries, one copy a node.
  public var program: Int
  /// Pages of other files: the mapped data, one copy a node.
  public var data: Int

  public init(peak: Int, anonymous: Int, shared: Int, program: Int, data: Int) {
    self.peak = peak
    self.anonymous = anonymous
    self.shared = shared
    self.program = program
    self.data = data
  }

  /// The peak without the mapped data.
  public var own: Int { max(0, peak - data) }

  /// As it is now; nil where the system does not tell.
  public static func current() -> ProcessMemory? {
    guard let status = readFile("/proc/self/status"), let maps = readFile("/proc/self/smaps") else { return nil }
    return ProcessMemory(status: status, maps: maps)
  }

  /// From the texts of `/proc/PID/status` and `/proc/PID/smaps`; see proc(5).
  init?(status: String, maps: String) {
    guard let peak = status.split(separator: "\n").lazy.compactMap({ Self.bytes("VmHWM:", $0) }).first else {
      return nil
    }
    let mappings = Mapping.list(maps)
    let programs = Set(mappings.lazy.filter(\.isExecutable).map(\.path))
    self.init(
      peak: peak, anonymous: mappings.reduce(0) { $0 + $1.anonymous }, shared: 0, program: 0, data: 0)
    for mapping in mappings {
      let bytes = max(0, mapping.resident - mapping.anonymous)
      if mapping.isWrittenTogether {
        shared += bytes
      } else if mapping.path.isEmpty || mapping.path.hasPrefix("[") || programs.contains(mapping.path) {
        program += bytes
      } else {
        data += bytes
      }
    }
  }

  /// One range of addresses.
  private struct Mapping {
    let path: Substring
    let isExecutable: Bool
    let isWrittenTogether: Bool
    var resident = 0
    var anonymous = 0

    /// From "7f00-7f10 r-xp 00000000 08:01 42   /lib/x.so"; the path may be missing, and may hold blanks.
    init?(_ line: Substring) {
      guard let first = line.utf8.first, first < UInt8(ascii: "A") || first >= UInt8(ascii: "a") else { return nil }
      let fields = line.split(separator: " ", maxSplits: 5)
      guard fields.count >= 5 else { return nil }
      path = fields.count > 5 ? fields[5].drop { $0 == " " } : ""
      isExecutable = fields[1].contains("x")
      isWrittenTogether = fields[1].contains("w") && fields[1].hasSuffix("s")
    }

    static func list(_ maps: String) -> [Mapping] {
      var mappings: [Mapping] = []
      for line in maps.split(separator: "\n") {
        if let mapping = Mapping(line) {
          mappings.append(mapping)
        } else if let last = mappings.indices.last {
          if let bytes = ProcessMemory.bytes("Rss:", line) { mappings[last].resident = bytes }
          if let bytes = ProcessMemory.bytes("Anonymous:", line) { mappings[last].anonymous = bytes }
        }
      }
      return mappings
    }
  }

  /// The value of a line such as "Rss:   12 kB".
  private static func bytes(_ name: String, _ line: Substring) -> Int? {
    guard line.hasPrefix(name) else { return nil }
    return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
  }
}
