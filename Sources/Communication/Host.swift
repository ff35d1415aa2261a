import CMPI

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The name of the machine this process runs on.
func hostName() -> String {
  var name = [CChar](repeating: 0, count: 256)
  guard gethostname(&name, name.count - 1) == 0 else { return "unknown host" }
  return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Where one rank runs: its host and the processors it may use there, in a block of fixed size that can travel.
struct RankPlace: Equatable {
  static let byteCount = 256 + 128

  /// Up to 255 bytes of UTF-8.
  var host: String
  /// One bit for each processor.
  var processors: [UInt8]

  init(host: String, processors: [UInt8]) {
    self.host = host
    self.processors = processors
  }

  /// The place of this process.
  static func current() -> RankPlace {
    RankPlace(host: hostName(), processors: allowedProcessors())
  }

  init(bytes: some Collection<UInt8>) {
    host = String(decoding: bytes.prefix(256).prefix { $0 != 0 }, as: UTF8.self)
    processors = Array(bytes.dropFirst(256))
  }

  var bytes: [UInt8] {
    var bytes = Array(host.utf8.prefix(255))
    bytes += [UInt8](repeating: 0, count: 256 - bytes.count)
    bytes += processors.prefix(128)
    return bytes + [UInt8](repeating: 0, count: Self.byteCount - bytes.count)
  }

  /// What the processors that the ranks may use say about their binding; nil for a rank alone.
  static func binding(_ places: [RankPlace]) -> String? {
    guard places.count > 1 else { return nil }
    let hosts = HostPlaces.byHost(places)
    if hosts.values.contains(where: \.isOversubscribed) { return "more ranks than cores, so they share them" }
    // A core has two hardware threads, seldom four; a rank with more processors has more than a core.
    let mostAtOnce = places.lazy.map { HostPlaces.count($0.processors) }.max() ?? 0
    if mostAtOnce > 4 || hosts.values.contains(where: \.areShared) { return "not bound to cores of their own" }
    return "each bound to a core of its own"
  }

  /// Whether the ranks on the host of `rank` are more than the processors that they may use together.
  static func isOversubscribed(_ places: [RankPlace], rank: Int) -> Bool {
    HostPlaces.byHost(places)[places[rank].host]?.isOversubscribed ?? false
  }
}

/// What the ranks of one host may use together, from one look at each rank.
private struct HostPlaces {
  private var ranks = 0
  private var processors = [UInt8](repeating: 0, count: 128)
  /// Whether two ranks may use the same processor.
  private(set) var areShared = false

  var isOversubscribed: Bool { ranks > Self.count(processors) }

  static func byHost(_ places: [RankPlace]) -> [String: HostPlaces] {
    var hosts: [String: HostPlaces] = [:]
    for place in places { hosts[place.host, default: HostPlaces()].add(place.processors) }
    return hosts
  }

  static func count(_ processors: [UInt8]) -> Int { processors.reduce(0) { $0 + $1.nonzeroBitCount } }

  private mutating func add(_ bits: [UInt8]) {
    ranks += 1
    for (index, byte) in bits.enumerated() {
      if processors[index] & byte != 0 { areShared = true }
      processors[index] |= byte
    }
  }
}

/// The processors that the system lets this thread use, as a bit set of 128 bytes.
func allowedProcessors() -> [UInt8] {
  var set = [UInt8](repeating: 0, count: 128)
  #if os(Linux)
    if dtrain_sched_getaffinity(0, UInt(set.count), &set) == 0 { return set }
  #endif
  for processor in 0..<max(1, min(1024, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) {
    set[processor / 8] |= 1 << UInt8(processor % 8)
  }
  return set
}
