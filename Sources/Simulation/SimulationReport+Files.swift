import Reporting

extension SimulationReport {
  /// What the columns of `simulation.csv` and the members of `runs` in `simulation.json` are, for help.
  public static let fields: [(name: String, meaning: String)] = [
    ("ranks", "their number"),
    ("nodes", "that they are on"),
    ("batch", "samples of a step, over all ranks"),
    ("form", "of the all-reduce: direct, doubling, halving, shared or nodes"),
    ("steps", "that were simulated"),
    ("images_per_second", "over all ranks, while no node fails"),
    ("speedup", "images_per_second by that of one rank"),
    ("efficiency", "speedup by ranks"),
    ("step_milliseconds", "from one step's end to the next; the parts are means over ranks and steps"),
    ("computation_milliseconds", "gradients of a rank's microbatches and their sum"),
    ("waiting_milliseconds", "in the exchange until the last rank has come"),
    ("transfer_milliseconds", "of the exchange what the last rank takes, and adding up"),
    ("update_milliseconds", "the optimizer, and weights into the kernels' form"),
    ("fixed_milliseconds", "of a step besides"),
    ("memory_bytes", "of a rank; without --scale or --memory-mb of its vectors alone"),
    ("measured_images_per_second", "of the same ranks and batch in --scale; empty or null where there is none"),
    ("error", "how far the prediction is above that, as a share of it"),
    ("fitted", "1 where the figures come from that measurement too, 0 where it was held out"),
    ("life_seconds", "mean time between failures of the job; empty or null without --mtbf-hours, as what follows"),
    ("young_seconds", "of training between checkpoints by Young's formula"),
    ("daly_seconds", "the same by Daly's, which is recommended"),
    ("best_seconds", "the same with the least loss in the simulation"),
    ("expected_loss", "share of the time that checkpoints, lost work and restarts take at daly_seconds"),
    ("simulated_loss", "the same in the simulation"),
    ("seconds", "of the epochs, --epochs or those to the accuracy of --scale, with failures; empty or null without"),
  ]

  private func values(_ row: SimulatedRow) -> [JSONValue] {
    func number(_ value: Double?) -> JSONValue { value.map(JSONValue.number) ?? .null }
    let times = row.times
    let interval = row.interval
    return [
      .integer(row.ranks), .integer(row.nodes), .integer(row.batch), row.form.map { .text($0.rawValue) } ?? .null,
      .integer(row.steps), .number(row.imagesPerSecond), .number(speedup(row)), .number(efficiency(row)),
      .number(times.step * 1e3), .number(times.computation * 1e3), .number(times.waiting * 1e3),
      .number(times.transfer * 1e3), .number(times.update * 1e3), .number(times.fixed * 1e3), .number(row.memory),
      number(row.measured), number(row.error), row.measured == nil ? .null : .integer(row.isFitted ? 1 : 0),
      number(interval?.life), number(interval?.young), number(interval?.daly), number(interval?.best),
      number(interval.map { $0.expectedLoss($0.daly) }), number(interval.map { $0.simulatedLoss($0.daly) }),
      number(seconds(row)),
    ]
  }

  /// Comma-separated values (RFC 4180, lines end in a line feed), a row a number of ranks.
  public var csv: String {
    let lines = rows.map { row in
      values(row).map { value in
        switch value {
        case .text(let text): text
        case .null: ""
        default: value.encoded == "null" ? "" : value.encoded
        }
      }.joined(separator: ",")
    }
    return ([Self.fields.map(\.name).joined(separator: ",")] + lines).map { $0 + "\n" }.joined()
  }

  /// One object: what was simulated, the figures and where they are from, and `runs`, an object a number of ranks.
  public var json: JSONValue {
    let figures = CostFigure.allCases.compactMap { figure -> JSONValue? in
      guard let entry = plan.figures.entries[figure] else { return nil }
      return .object([
        .init("name", .text(figure.rawValue)), .init("value", .number(entry.value)),
        .init("source", .text(entry.source)), .init("residual", entry.residual.map(JSONValue.number) ?? .null),
      ])
    }
    return .object([
      .init("program", .text(plan.program)), .init("kind", .text(plan.isWeak ? "weak" : "strong")),
      .init("network", .text(plan.workload.name)), .init("parameters", .integer(plan.workload.parameters)),
      .init("operations", .number(plan.workload.operations)), .init("microbatch", .integer(plan.microbatch)),
      .init("ranks_per_node", .integer(plan.ranksPerNode)), .init("seed", .integer(Int(clamping: plan.seed))),
      .init("straggler_probability", .number(plan.stragglers.probability)),
      .init("straggler_factor", .number(plan.stragglers.factor)), .init("figures", .array(figures)),
      .init("notes", .array(notes.map(JSONValue.text))),
      .init(
        "runs",
        .array(
          rows.map { row in
            .object(zip(Self.fields, values(row)).map { JSONValue.Member($0.name, $1) })
          })),
    ])
  }
}
