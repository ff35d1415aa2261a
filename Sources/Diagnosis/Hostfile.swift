import Failures

/// Open MPI's file of hosts: a host a line, with `slots=N` and `max_slots=N` (mpirun(1), "Specifying Host Nodes").
public struct Hostfile: Equatable, Sendable {
  public struct Host: Equatable, Sendable {
    public let name: String
    /// How many ranks it takes; nil where the file does not say, and the host's cores count.
    public let slots: Int?
  }

  public let hosts: [Host]

  /// - Parameter name: what the file is called in messages.
  /// - Throws: `.badData` that names the line.
  public init(text: String, name: String) throws(Failure) {
    var hosts: [Host] = []
    for (index, line) in SystemFile.lines(text).enumerated() {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let host = words.first else { continue }
      let place = "\(name):\(index + 1)"
      guard !host.contains("="), !host.hasPrefix("^"), !host.hasPrefix("+") else {
        throw Failure(
          .badData, "\(place): \"\(host)\" is not the name of a host", remedy: "begin each line with a host's name")
      }
      var slots: Int?
      for word in words.dropFirst() {
        guard let number = try Self.slots(word, place: place) else { continue }
        slots = number
      }
      if let known = hosts.firstIndex(where: { $0.name == host }) {
        // A scheduler's file names a host once a slot.
        hosts[known] = Host(name: host, slots: (hosts[known].slots ?? 1) + (slots ?? 1))
      } else {
        hosts.append(Host(name: host, slots: slots))
      }
    }
    guard !hosts.isEmpty else {
      throw Failure(.badData, "\(name) names no host", remedy: "write a line such as \"node1 slots=4\" for each host")
    }
    self.hosts = hosts
  }

  /// - Throws: `.noInput` where there is no such file.
  public init(reading path: String) throws(Failure) {
    guard let text = SystemFile.text(path) else {
      throw Failure(.noInput, "\(path): the file of hosts cannot be read", remedy: "check the path of --hostfile")
    }
    try self.init(text: text, name: path)
  }

  /// What a word `slots=N` says; nil for the other words that mpirun knows.
  private static func slots(_ word: String, place: String) throws(Failure) -> Int? {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let known = ["slots", "cpu", "count", "max_slots", "max-slots", "slots_max", "slots-max"]
    let words = ["user", "username", "user_name", "user-name", "port"]
    guard parts.count == 2, known.contains(parts[0]) || words.contains(parts[0]), !parts[1].isEmpty else {
      let near = Spelling.nearest(to: parts[0], in: known + words).map { "did you mean \($0)=N? " } ?? ""
      throw Failure(
        .badData, "\(place): \"\(word)\" is not known",
        remedy: near + "A line is a host's name, then slots=N, without blanks around the equals sign")
    }
    guard known.contains(parts[0]) else { return nil }
    guard let number = Int(parts[1]), number > 0 else {
      throw Failure(
        .badData, "\(place): \"\(word)\" has no whole number of at least 1", remedy: "write it as in slots=4")
    }
    return known.prefix(3).contains(parts[0]) ? number : nil
  }
}
