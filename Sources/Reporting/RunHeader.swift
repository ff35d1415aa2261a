/// What a run says of itself before it starts: a few lines, what is meant on the left, how it is on the right.
public struct RunHeader: Sendable {
  private let title: String
  private var rows: [(name: String, value: String)] = []

  public init(title: String) { self.title = title }

  public mutating func add(_ name: String, _ value: String) { rows.append((name, value)) }

  public var lines: [String] {
    let width = rows.map(\.name.count).max() ?? 0
    return [title]
      + rows.map { "  \($0.name)\(String(repeating: " ", count: width - $0.name.count))  \($0.value)" }
  }

  /// Hosts and how many ranks each has, in the order in which they first come: "alpha (2 ranks), beta (1 rank)"; the name
  /// alone where there is one host.
  public static func hosts(_ hosts: [String]) -> String {
    var counts: [String: Int] = [:]
    var names: [String] = []
    for host in hosts {
      if counts[host] == nil { names.append(host) }
      counts[host, default: 0] += 1
    }
    if names.count == 1 { return names[0] }
    return names.map { name in
      let count = counts[name] ?? 0
      return "\(name) (\(count) \(count == 1 ? "rank" : "ranks"))"
    }.joined(separator: ", ")
  }
}
