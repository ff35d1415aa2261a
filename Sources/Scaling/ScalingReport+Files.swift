import Benchmarks
import Reporting

extension ScalingReport {
  /// What the columns of `scale.csv` and the members of `runs` in `scale.json` are, for help.
  public static let fields: [(name: String, meaning: String)] = [
    ("ranks", "their number"),
    ("batch", "samples of a step, over all ranks"),
    ("images_per_second", "over all ranks, steady state: the median of the rounds; _best is the best round"),
    ("speedup", "images_per_second by that of one rank (of the least number of ranks, divided by it)"),
    ("efficiency", "speedup by ranks"),
    ("efficiency_of_cores", "speedup by the ranks that have a core of their own"),
    ("step_milliseconds", "a whole step, measured with clocks in it; medians, as all that follow"),
    ("computation_milliseconds", "gradients of a rank's microbatches and their sum; mean over the ranks"),
    ("waiting_milliseconds", "in the exchange until the last rank has come; mean over the ranks"),
    ("transfer_milliseconds", "of the exchange what the last rank takes, and finishing the sum"),
    ("update_milliseconds", "the optimizer, and weights into the kernels' form"),
    ("first_step_seconds", "from the start of a process to the end of its first step, the slowest rank's"),
    ("agreement_milliseconds", "a word of each rank brought to all, as when they compare their states"),
    ("own_bytes", "memory of the rank with the most, without mapped data"),
    ("epochs_to_accuracy", "epochs of training until a test reached the accuracy; empty or null where none did"),
    ("seconds_to_accuracy", "those epochs' samples by images_per_second"),
    ("measured_seconds_to_accuracy", "of the training run itself, evaluations included; empty or null where none ran"),
  ]

  private func values(_ row: ScalingRow) -> [Double?] {
    [
      Double(row.ranks), Double(row.batch), row.imagesPerSecond.median, row.imagesPerSecond.best, speedup(row),
      efficiency(row), efficiencyOfCores(row), row.step.median, row.computation.median, row.waiting.median,
      row.transfer.median, row.update.median, row.firstStep.median, row.agreement.median, row.ownBytes,
      row.epochs.map(Double.init), secondsToAccuracy(row), row.measuredSeconds,
    ]
  }

  private static let columns: [String] = fields.flatMap {
    $0.name == "images_per_second" ? [$0.name, "\($0.name)_best"] : [$0.name]
  }

  /// Comma-separated values (RFC 4180, lines end in a line feed), a row a number of ranks.
  public var csv: String {
    ([Self.columns.joined(separator: ",")]
      + rows.map { row in values(row).map { $0.map(Self.number) ?? "" }.joined(separator: ",") })
      .map { $0 + "\n" }.joined()
  }

  /// One object: what was measured where, and `runs`, an object a number of ranks.
  public var json: JSONValue {
    .object([
      .init("program", .text(program)), .init("kind", .text(kind.rawValue)), .init("processor", .text(processor)),
      .init("hosts", .integer(hosts)), .init("cores", .integer(cores)),
      .init("threads_per_rank", .integer(threadsPerRank)), .init("dataset", .text(dataset)),
      .init("training_samples", .integer(trainingSamples)), .init("microbatch", .integer(microbatch)),
      .init("rounds", .integer(rounds)), .init("seconds_per_round", .number(secondsPerRound)),
      .init("accuracy", accuracy.map(JSONValue.number) ?? .null),
      .init("notes", .array(notes.map(JSONValue.text))), .init("runs", .array(rows.map(json))),
    ])
  }

  private func json(_ row: ScalingRow) -> JSONValue {
    var members = zip(Self.columns, values(row)).map { JSONValue.Member($0, Self.json($1)) }
    members.append(.init("images_per_second_rounds", .array(row.imagesPerSecond.values.map(JSONValue.number))))
    members.append(.init("step_milliseconds_rounds", .array(row.step.values.map(JSONValue.number))))
    return .object(members)
  }

  private static func json(_ value: Double?) -> JSONValue {
    guard let value else { return .null }
    return isWhole(value) ? .integer(Int(value)) : .number(value)
  }

  private static func isWhole(_ value: Double) -> Bool { value == value.rounded() && value.magnitude < 1e15 }

  /// As few digits as give the same number again; empty for what is not finite.
  private static func number(_ value: Double) -> String {
    guard value.isFinite else { return "" }
    return isWhole(value) ? "\(Int(value))" : value.description
  }
}
