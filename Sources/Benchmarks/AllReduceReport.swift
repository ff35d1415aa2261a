import Reporting

/// What `dtrain bench allreduce` has measured.
public struct AllReduceReport: Equatable, Sendable {
  public struct Row: Equatable, Sendable {
    /// Of the vector that is summed over the ranks.
    public let bytes: Int
    /// Seconds of one all-reduce on the slowest rank, by round.
    public internal(set) var ordered = Rounds(.lower)
    /// The same of `MPI_Allreduce`; empty without MPI.
    public internal(set) var library = Rounds(.lower)

    /// How many times as long as the library ours takes, by the medians; not a number without MPI.
    public var ratio: Double { ordered.median / library.median }
  }

  public let program: String
  public let processor: String
  public let communicator: String
  public let hosts: [String]
  public let ranks: Int
  public let rounds: Int
  public let secondsPerRound: Double
  public internal(set) var rows: [Row] = []

  /// The keys of `json` and what they mean, for help.
  public static let keys: [(name: String, meaning: String)] = [
    ("sizes", "an object for each size"),
    ("bytes", "of the vector of float32 numbers that is summed over the ranks"),
    ("ordered_microseconds", "one ordered all-reduce, on the slowest rank: the best round; also _median and _rounds"),
    ("mpi_microseconds", "the same of MPI_Allreduce; null without MPI"),
    ("ratio", "the median of ordered by that of MPI_Allreduce"),
    ("ranks, hosts, processor, …", "what was measured, and where"),
  ]

  /// One object. See `keys`.
  public var json: JSONValue {
    let sizes = rows.map { row in
      var members = JSONMembers()
      members.add("bytes", .integer(row.bytes))
      members.add("ordered_microseconds", row.ordered, scale: 1e6)
      members.add("mpi_microseconds", row.library, scale: 1e6)
      members.add("ratio", .number(row.ratio))
      return JSONValue.object(members.list)
    }
    return .object([
      .init("program", .text(program)), .init("processor", .text(processor)),
      .init("communicator", .text(communicator)), .init("hosts", .array(hosts.map(JSONValue.text))),
      .init("ranks", .integer(ranks)), .init("rounds", .integer(rounds)),
      .init("seconds_per_round", .number(secondsPerRound)), .init("sizes", .array(sizes)),
    ])
  }

  /// As a person reads it.
  public var lines: [String] {
    var header = RunHeader(title: "\(program), all-reduce, \(rounds) rounds")
    header.add("processor", processor)
    header.add("ranks", "\(communicator) on \(RunHeader.hosts(hosts))")
    var table = TextTable([.right, .right, .right, .right, .right, .right])
    table.add(["bytes", "ordered µs", "best", "MPI_Allreduce µs", "best", "ratio"])
    func microseconds(_ seconds: Double) -> String {
      seconds.isFinite ? NumberText.fixed(seconds * 1e6, decimals: 1) : "–"
    }
    for row in rows {
      table.add([
        "\(row.bytes)", microseconds(row.ordered.median), microseconds(row.ordered.best),
        microseconds(row.library.median), microseconds(row.library.best),
        row.ratio.isFinite ? NumberText.fixed(row.ratio, decimals: 2) : "–",
      ])
    }
    let note = "Medians of the rounds, on the slowest rank. The ratio is of the medians."
    return header.lines + [""] + table.lines + ["", note]
  }
}
