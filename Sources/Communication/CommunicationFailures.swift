import Failures

/// The errors that every kind of communicator words alike.
extension Failure {
  /// A peer has not answered within the time allowed.
  ///
  /// - Parameter relay: how peers wait for others themselves. Those that cannot be are named, if there are any; the
  ///   others with the remark that a rank behind them may be missing in truth.
  static func waitedTooLong(
    for peers: [Int], size: Int, hosts: [String] = [], phase: Phase, timeout: Duration, relay: Relay? = nil
  ) -> Failure {
    let certain = peers.filter { relay?.isCertain($0, size: size) ?? true }
    let named = certain.isEmpty ? peers : certain
    let others = named.count == 1 ? "it waits for itself" : "these wait for"
    let behind = certain.isEmpty ? ", or for a rank that \(others)," : ""
    let places = Set(named.compactMap { hosts.indices.contains($0) ? hosts[$0] : nil }).sorted()
    let place = places.isEmpty ? "" : " on \(enumeration(places))"
    return Failure(
      .failure, "waited \(seconds(timeout)) for \(ranks(named))\(behind) in \(phase)",
      remedy: "see whether \(ranks(named))\(place) \(named.count == 1 ? "is" : "are") still running and what it last "
        + "printed; if it is only slow, raise communication.timeout_seconds")
  }

  /// The two sides of a transfer disagree about its size: the ranks are at different places of the program.
  static func sizesDiffer(peer: Int, expected: Int, received: Int?, phase: Phase) -> Failure {
    let received = received.map { "\($0) bytes" } ?? "more"
    return Failure(
      .software, "expected \(expected) bytes from rank \(peer) in \(phase) and got \(received)",
      remedy: "make sure that every rank runs the same program with the same settings; if they do, report this")
  }

  static func invalidTransfer(_ transfer: Transfer, rank: Int, size: Int, phase: Phase) -> Failure {
    Failure(
      .software,
      "rank \(rank) of \(size) asked for a transfer with rank \(transfer.peer), tag \(transfer.tag), in \(phase)",
      remedy: "report this: it is a defect of the program")
  }
}

extension Transfer {
  /// Whether a rank of a job of this size can do this transfer at all.
  func isValid(rank: Int, size: Int) -> Bool {
    peer >= 0 && peer < size && peer != rank && tag >= 0 && tag <= 32767
  }
}

/// "rank 3", "ranks 3 and 5", "ranks 1, 3 and 5".
func ranks(_ numbers: [Int]) -> String {
  (numbers.count == 1 ? "rank " : "ranks ") + enumeration(numbers.map { "\($0)" })
}

private func enumeration(_ items: [String]) -> String {
  guard items.count > 1, let last = items.last else { return items.first ?? "none" }
  return items.dropLast().joined(separator: ", ") + " and " + last
}

/// "60 s", "1.5 s".
func seconds(_ duration: Duration) -> String {
  let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
  return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(Double(milliseconds) / 1000) s"
}
