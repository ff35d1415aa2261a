import Checkpoints
import DataParallel
import Failures

/// What the simulation takes from the file of `dtrain bench allreduce --json`.
public struct AllReduceMeasurement: Equatable, Sendable {
  struct Size: Equatable, Sendable {
    var bytes = 0
    /// Median of the rounds, on the slowest rank.
    var seconds = Double.nan
  }

  public var name = ""
  var ranks = 0
  /// By rank.
  var hosts: [String] = []
  var sizes: [Size] = []

  private static let largest = 1 << 24

  /// Whether all ranks were on one node; otherwise each was on its own.
  var isOfOneNode: Bool { Set(hosts).count == 1 }

  /// - Throws: as `SmallFile.read` does; `.badData` where it is no such file, or of several ranks on several nodes, which
  ///   shared a link.
  public static func read(_ path: String) throws(Failure) -> AllReduceMeasurement {
    try AllReduceMeasurement(SmallFile.read(path, upTo: largest), from: path)
  }

  init(_ json: [UInt8], from path: String) throws(Failure) {
    name = path
    do throws(JSONProblem) {
      var scanner = JSONScanner(json)
      try scanner.object { (name, scanner) throws(JSONProblem) in try take(name, &scanner) }
      try scanner.end()
      guard ranks > 1, hosts.count == ranks, !sizes.isEmpty,
        sizes.allSatisfy({ $0.bytes >= 4 && $0.seconds > 0 })
      else { throw JSONProblem(reason: "it tells no all-reduce of several ranks", offset: nil) }
      guard isOfOneNode || Set(hosts).count == ranks else {
        throw JSONProblem(reason: "several ranks shared a link between nodes", offset: nil)
      }
    } catch {
      throw error.failure(
        path, remedy: "give what 'dtrain bench allreduce --json FILE' writes, of one node or of one rank a node")
    }
  }

  private mutating func take(_ name: String, _ scanner: inout JSONScanner) throws(JSONProblem) {
    switch name {
    case "ranks": ranks = try scanner.unsignedInteger()
    case "hosts": try scanner.array { (scanner) throws(JSONProblem) in hosts.append(try scanner.string()) }
    case "sizes":
      try scanner.array { (scanner) throws(JSONProblem) in
        var size = Size()
        try scanner.object { (name, scanner) throws(JSONProblem) in
          switch name {
          case "bytes": size.bytes = try scanner.unsignedInteger()
          case "ordered_microseconds_median": size.seconds = try scanner.number() * 1e-6
          default: try scanner.skipValue()
          }
        }
        sizes.append(size)
      }
    default: try scanner.skipValue()
    }
  }

  /// What an all-reduce of this size was made of.
  func counts(_ size: Size) -> ExchangeSchedule.Counts {
    ExchangeSchedule(
      tree: GradientTree(leaves: ranks, ranks: ranks), parameterCount: size.bytes / 4,
      ranksPerNode: isOfOneNode ? ranks : 1
    ).counts
  }
}
