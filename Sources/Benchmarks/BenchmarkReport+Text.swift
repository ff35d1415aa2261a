import Reporting

extension BenchmarkReport {
  /// The report as a person reads it: what was measured, the rates, a step, its layers.
  public var lines: [String] {
    header.lines + [""] + rateTable.lines + [""] + stepTable.lines + [""] + layerTable.lines + [""] + notes
  }

  private var header: RunHeader {
    var header = RunHeader(title: "\(subject.program), \(training.values.count) rounds")
    header.add("processor", "\(subject.processor), vectors of \(subject.vectorBits) bits")
    let threads = subject.threads > subject.ranks ? ", \(subject.threads) computing threads" : ""
    header.add("ranks", "\(subject.communicator) on \(RunHeader.hosts(subject.hosts))\(threads)")
    header.add(
      "data",
      "\(subject.dataset), \(subject.datasetOrigin): \(subject.trainingSamples) training and \(subject.testSamples) test "
        + "images")
    header.add(
      "network",
      "\(subject.parameters) parameters, an image \(Self.megaflop(inferenceOperations)) MFLOP forward, "
        + "\(Self.megaflop(trainingOperations)) in training")
    header.add("training", "batch \(subject.batch), microbatches of \(subject.microbatch)")
    return header
  }

  private var rateTable: TextTable {
    var table = TextTable([.left, .right, .right, .left, .left])
    table.add(["", "best", "median", "", ""])
    func add(_ name: String, _ rounds: Rounds, _ scale: Double, _ decimals: Int, _ unit: String, _ note: String = "") {
      guard !rounds.values.isEmpty else { return }
      table.add([
        name, NumberText.fixed(rounds.best * scale, decimals: decimals),
        NumberText.fixed(rounds.median * scale, decimals: decimals), unit, note,
      ])
    }
    add(
      "training", training, 1, 0, "images/s", peak.values.isEmpty ? "" : "\(Self.percent(trainingShareOfPeak)) of peak")
    add(
      "inference", inference, 1, 0, "images/s",
      "\(Self.percent(inferenceShareOfPeak)) of peak; \(subject.testSamples) test images in "
        + "\(NumberText.fixed(evaluationSeconds, decimals: 2)) s")
    add(
      "peak", peak, 1e-9, 1, "GFLOP/s",
      "multiply-adds of \(subject.threads) \(subject.threads == 1 ? "thread" : "threads")")
    add("memory, read", read, 1e-9, 1, "GB/s", "one thread a rank")
    add("memory, copy", copy, 1e-9, 1, "GB/s", "read and written")
    add(
      "all-reduce", allReduce, 1e3, 3, "ms",
      subject.ranks == 1 ? "one rank: nothing to exchange" : "of one gradient a rank, alone")
    if let firstStepSeconds {
      table.add([
        "first step", NumberText.fixed(firstStepSeconds, decimals: 2), "", "s",
        "after the start of the process, told to \(NumberText.fixed(ProcessStart.resolution, decimals: 2)) s",
      ])
    }
    if let memory {
      table.add([
        "own memory", Self.megabytes(memory.own), "", "MB",
        "at its peak, beside \(Self.megabytes(memory.data)) MB of mapped data (\(Self.megabytes(memory.anonymous)) "
          + "anonymous, \(Self.megabytes(memory.shared)) shared, \(Self.megabytes(memory.program)) program)",
      ])
    }
    return table
  }

  private var stepTable: TextTable {
    var table = TextTable([.left, .right, .right, .right, .left])
    table.add(["step", "best ms", "median ms", "share", ""])
    func add(_ name: String, _ rounds: Rounds, _ note: String = "") {
      table.add([
        name, NumberText.fixed(rounds.best * 1e3, decimals: 3), NumberText.fixed(rounds.median * 1e3, decimals: 3),
        Self.percent(rounds.median / stages.step.median), note,
      ])
    }
    add("  gradients", stages.computation, "of \(subject.ranks == 1 ? "all" : "a rank's") microbatches")
    add("  local additions", stages.additions)
    if subject.ranks > 1 {
      add("  waiting", stages.waiting, "for the slowest rank")
      add("  transfer", stages.transfer, "what the last rank to come takes")
    }
    add("  finishing the tree", stages.finishing)
    add(
      "  Adam", stages.update, "\(NumberText.fixed(updateBytesPerSecond * 1e-9, decimals: 1)) GB/s")
    add("  weights for kernels", stages.preparation)
    add("  whole", stages.step)
    return table
  }

  private var layerTable: TextTable {
    var table = TextTable([.left, .left, .right, .right, .right, .right, .right, .right, .right])
    table.add(["layer", "output", "forward µs", "GFLOP/s", "of peak", "backward µs", "GFLOP/s", "of peak", "share"])
    let total =
      stages.loading.best + stages.loss.best + layers.reduce(0) { $0 + $1.forward.best + $1.backward.best }
    func add(_ name: String, _ shape: String, forward: Double, _ forwardRate: Double, backward: Double, _ rate: Double)
    {
      let isCounted = forwardRate > 0
      table.add([
        name, shape, Self.microseconds(forward), isCounted ? Self.gigaflops(forwardRate) : "",
        isCounted ? Self.percent(forwardRate / peakOfAThread) : "", backward > 0 ? Self.microseconds(backward) : "",
        rate > 0 ? Self.gigaflops(rate) : "", rate > 0 ? Self.percent(rate / peakOfAThread) : "",
        Self.percent((forward + backward) / total),
      ])
    }
    add("reading images", "", forward: stages.loading.best, 0, backward: 0, 0)
    for layer in layers {
      add(
        layer.name, layer.outputShape, forward: layer.forward.best, layer.forwardOperationsPerSecond,
        backward: layer.backward.best, layer.backwardOperationsPerSecond)
    }
    add("softmax and loss", "", forward: stages.loss.best, 0, backward: 0, 0)
    let forward = layers.reduce(stages.loading.best + stages.loss.best) { $0 + $1.forward.best }
    let backward = layers.reduce(0) { $0 + $1.backward.best }
    add(
      "all", "", forward: forward, Double(inferenceOperations) / forward, backward: backward,
      Double(trainingOperations - inferenceOperations) / backward)
    return table
  }

  private var notes: [String] {
    [
      "Layers: one thread, microseconds an image, best round. GFLOP/s count a convolution as computed directly; Winograd's",
      "kernels multiply a quarter as often, so they may pass 100 % of the peak.",
    ]
  }

  private static func percent(_ share: Double) -> String {
    share.isNaN ? "" : "\(NumberText.fixed(share * 100, decimals: share < 0.1 ? 1 : 0)) %"
  }

  private static func megaflop(_ operations: Int) -> String {
    NumberText.fixed(Double(operations) * 1e-6, decimals: operations < 100_000 ? 3 : 1)
  }

  private static func microseconds(_ seconds: Double) -> String { NumberText.fixed(seconds * 1e6, decimals: 2) }

  private static func gigaflops(_ rate: Double) -> String { NumberText.fixed(rate * 1e-9, decimals: 1) }

  private static func megabytes(_ bytes: Int) -> String { NumberText.fixed(Double(bytes) * 1e-6, decimals: 0) }
}
