import Checkpoints

/// What the standard error of a job tells of its end: the program's own lines and Open MPI's.
///
/// Open MPI's wording is that of version 4; where another says it otherwise, the exit code has to do.
struct JobAccount {
  /// Begins the lines of ranks: "dtrain: rank ".
  let rankPrefix: String
  /// The first failure that a rank told, and its rank.
  private(set) var ownFailure: (rank: Int, message: String)?
  /// The rank that a signal has ended, and which.
  private(set) var killed: (rank: Int, host: String, signal: String)?
  /// The rank that Open MPI saw leave, and its code where it says one.
  private(set) var leaver: (rank: Int, code: Int?)?
  /// The hosts to which there is no way any more.
  private(set) var lostHosts: [String] = []
  private(set) var cannotStartDaemons = false
  private(set) var lacksSlots = false
  /// Whether every rank has come to where it can tell of a failure itself.
  private(set) var hasStarted = false
  private let startedLine: String

  init(program: String) {
    rankPrefix = "\(program): rank "
    startedLine = "\(program): \(LaunchMark.startedLine)"
  }

  /// Whether the job is ending; nothing of the program's work is to be hoped for.
  var isOver: Bool { sentence != nil }

  /// Whether the sentence says already how a rank ended.
  var tellsCode: Bool { killed != nil || ownFailure == nil && leaver?.code != nil }

  mutating func read(_ line: String) {
    if line == startedLine {
      hasStarted = true
    } else if line.hasPrefix(rankPrefix) {
      let rest = line.dropFirst(rankPrefix.count)
      let number = rest.prefix { $0.isNumber }
      if ownFailure == nil, let rank = Int(number), rest.dropFirst(number.count).hasPrefix(": ") {
        ownFailure = (rank, String(rest.dropFirst(number.count + 2)))
      }
    } else if let words = words(of: line, after: "mpirun noticed that process rank ") {
      // "… rank 1 with PID 4711 on node h2 exited on signal 9 (Killed)."
      if let rank = words.first.flatMap({ Int($0) }), let place = words.firstIndex(of: "signal") {
        let signal = words[(place + 1)...].joined(separator: " ").prefix { $0 != "." }
        killed = (rank, word(after: "node", in: words) ?? "", String(signal))
      }
    } else if let words = words(of: line, after: "mpirun has exited due to process rank ") {
      if let rank = words.first.flatMap({ Int($0) }) { leaver = leaver ?? (rank, nil) }
    } else if let words = words(of: line, after: "MPI_ABORT was invoked on rank ") {
      if let rank = words.first.flatMap({ Int($0) }) { leaver = leaver ?? (rank, nil) }
    } else if let name = words(of: line, after: "  Process name: [[")?.first, let comma = name.lastIndex(of: ",") {
      // "[[25226,1],0]", and the line with its code follows.
      if let rank = Int(name[name.index(after: comma)...].filter { $0.isNumber }) { leaver = (rank, nil) }
    } else if let code = words(of: line, after: "  Exit code: ")?.first.flatMap({ Int($0) }) {
      if let known = leaver { leaver = (known.rank, code) }
    } else if let words = words(of: line, after: "  Remote daemon: "), let host = word(after: "node", in: words) {
      if !lostHosts.contains(host) { lostHosts.append(host) }
    } else if line.hasPrefix("There are not enough slots available") {
      lacksSlots = true
    } else if line.contains("unable to reliably start one or more daemons") {
      cannotStartDaemons = true
    }
  }

  /// What happened, where it is known: "rank 1 on h2 was ended by signal 9 (Killed)".
  var sentence: String? {
    if let killed {
      let place = killed.host.isEmpty ? "" : " on \(killed.host)"
      return "rank \(killed.rank)\(place) was ended by signal \(killed.signal)"
    }
    if !lostHosts.isEmpty { return "host \(lostHosts.joined(separator: ", ")) is gone" }
    if let ownFailure { return "rank \(ownFailure.rank) failed" }
    if cannotStartDaemons { return "a host cannot be reached" }
    if lacksSlots { return "there are not enough slots" }
    guard let leaver else { return nil }
    return leaver.code.map { "rank \(leaver.rank) left with code \($0)" } ?? "rank \(leaver.rank) left without a word"
  }

  private func words(of line: String, after start: String) -> [Substring]? {
    line.hasPrefix(start) ? line.dropFirst(start.count).split(separator: " ") : nil
  }

  private func word(after word: String, in words: [Substring]) -> String? {
    guard let place = words.firstIndex(of: Substring(word)), place + 1 < words.count else { return nil }
    return String(words[place + 1])
  }
}
