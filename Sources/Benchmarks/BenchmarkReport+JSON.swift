import Reporting

extension BenchmarkReport {
  /// The keys of `json` and what they mean, for help.
  public static let keys: [(name: String, meaning: String)] = [
    ("training_images_per_second", "over all ranks, steady state, data in memory; the best round"),
    ("inference_images_per_second", "the same of evaluation"),
    ("evaluation_seconds", "to evaluate the test images once, of which there are test_samples"),
    ("training_gflop_per_image", "counted as direct convolution; also inference_gflop_per_image"),
    ("peak_gflops", "multiply-adds of independent vectors on all computing threads at once"),
    ("training_share_of_peak", "also inference_share_of_peak; Winograd's kernels may pass 1, since they multiply less"),
    ("read_gigabytes_per_second", "memory, one thread a rank; also copy_gigabytes_per_second, both ways counted"),
    ("step_milliseconds", "a whole step, with its parts under stages"),
    (
      "stages",
      "milliseconds a step, mean over the ranks: computation, local_additions, exchange (which is waiting and transfer, "
        + "what the last rank to come takes), finishing, update, preparation"
    ),
    ("adam_milliseconds", "the update in a step; adam_gigabytes_per_second is what it moves"),
    ("all_reduce_milliseconds", "the ordered all-reduce of one gradient a rank, nothing else going on"),
    ("agreement_milliseconds", "a word of each rank brought to all, as when they compare their states"),
    ("communication_share", "exchange over step"),
    (
      "layers",
      "for each name, output_shape and, forward_ and backward_: megaflop an image, microseconds an image on one thread, "
        + "gflops, share_of_peak (of one thread)"
    ),
    ("loading_microseconds", "reading an image on one thread; also loss_microseconds"),
    ("first_step_seconds", "from the start of the process to the end of its first step, the slowest rank's"),
    ("first_step_resolution_seconds", "how exactly the system tells the start"),
    (
      "memory",
      "of the process with the most: own_bytes (peak_bytes without data_bytes, the mapped data), anonymous_bytes, "
        + "shared_bytes, program_bytes"
    ),
    (
      "…_median, …_rounds",
      "beside every figure that was measured once a round: its median, and all rounds; null where --only leaves it out"
    ),
    ("ranks, threads, hosts, …", "what was measured, and where"),
  ]

  /// One object. See `keys`.
  public var json: JSONValue {
    var members = JSONMembers()
    members.add(subject)
    members.add("training_images_per_second", training)
    members.add("inference_images_per_second", inference)
    members.add("evaluation_seconds", .number(evaluationSeconds))
    members.add("training_gflop_per_image", .number(Double(trainingOperations) * 1e-9))
    members.add("inference_gflop_per_image", .number(Double(inferenceOperations) * 1e-9))
    members.add("peak_gflops", peak, scale: 1e-9)
    members.add("training_share_of_peak", .number(trainingShareOfPeak))
    members.add("inference_share_of_peak", .number(inferenceShareOfPeak))
    members.add("read_gigabytes_per_second", read, scale: 1e-9)
    members.add("copy_gigabytes_per_second", copy, scale: 1e-9)
    members.add("step_milliseconds", stages.step, scale: 1e3)
    var parts = JSONMembers()
    parts.add("computation_milliseconds", stages.computation, scale: 1e3)
    parts.add("local_additions_milliseconds", stages.additions, scale: 1e3)
    parts.add("exchange_milliseconds", stages.exchange, scale: 1e3)
    parts.add("waiting_milliseconds", stages.waiting, scale: 1e3)
    parts.add("transfer_milliseconds", stages.transfer, scale: 1e3)
    parts.add("finishing_milliseconds", stages.finishing, scale: 1e3)
    parts.add("update_milliseconds", stages.update, scale: 1e3)
    parts.add("preparation_milliseconds", stages.preparation, scale: 1e3)
    members.add("stages", .object(parts.list))
    members.add("adam_milliseconds", stages.update, scale: 1e3)
    members.add("adam_gigabytes_per_second", .number(updateBytesPerSecond * 1e-9))
    members.add("all_reduce_milliseconds", allReduce, scale: 1e3)
    members.add("agreement_milliseconds", agreement, scale: 1e3)
    members.add("communication_share", stages.communicationShare)
    members.add("layers", .array(layers.map(json)))
    members.add("loading_microseconds", stages.loading, scale: 1e6)
    members.add("loss_microseconds", stages.loss, scale: 1e6)
    members.add("first_step_seconds", firstStepSeconds.map(JSONValue.number) ?? .null)
    members.add("first_step_resolution_seconds", .number(ProcessStart.resolution))
    members.add("memory", memory.map(json) ?? .null)
    return .object(members.list)
  }

  private func json(_ layer: LayerFigures) -> JSONValue {
    var members = JSONMembers()
    members.add("name", .text(layer.name))
    members.add("output_shape", .text(layer.outputShape))
    members.add("forward_megaflop", .number(Double(layer.forwardOperations) * 1e-6))
    members.add("forward_microseconds", layer.forward, scale: 1e6)
    members.add("forward_gflops", .number(layer.forwardOperationsPerSecond * 1e-9))
    members.add("forward_share_of_peak", .number(layer.forwardOperationsPerSecond / peakOfAThread))
    members.add("backward_megaflop", .number(Double(layer.backwardOperations) * 1e-6))
    members.add("backward_microseconds", layer.backward, scale: 1e6)
    members.add("backward_gflops", .number(layer.backwardOperationsPerSecond * 1e-9))
    members.add("backward_share_of_peak", .number(layer.backwardOperationsPerSecond / peakOfAThread))
    return .object(members.list)
  }

  private func json(_ memory: ProcessMemory) -> JSONValue {
    .object([
      .init("own_bytes", .integer(memory.own)), .init("peak_bytes", .integer(memory.peak)),
      .init("data_bytes", .integer(memory.data)), .init("anonymous_bytes", .integer(memory.anonymous)),
      .init("shared_bytes", .integer(memory.shared)), .init("program_bytes", .integer(memory.program)),
    ])
  }
}

/// The members of an object as they come.
struct JSONMembers {
  private(set) var list: [JSONValue.Member] = []

  mutating func add(_ name: String, _ value: JSONValue) { list.append(.init(name, value)) }

  /// Best, median and all rounds.
  mutating func add(_ name: String, _ rounds: Rounds, scale: Double = 1) {
    add(name, .number(rounds.best * scale))
    add("\(name)_median", .number(rounds.median * scale))
    add("\(name)_rounds", .array(rounds.values.map { .number($0 * scale) }))
  }

  mutating func add(_ subject: BenchmarkReport.Subject) {
    add("program", .text(subject.program))
    add("processor", .text(subject.processor))
    add("vector_bits", .integer(subject.vectorBits))
    add("communicator", .text(subject.communicator))
    add("hosts", .array(subject.hosts.map(JSONValue.text)))
    add("ranks", .integer(subject.ranks))
    add("threads", .integer(subject.threads))
    add("dataset", .text(subject.dataset))
    add("training_samples", .integer(subject.trainingSamples))
    add("test_samples", .integer(subject.testSamples))
    add("parameters", .integer(subject.parameters))
    add("batch", .integer(subject.batch))
    add("microbatch", .integer(subject.microbatch))
    add("evaluation_microbatch", .integer(subject.evaluationMicrobatch))
    add("seconds_per_round", .number(subject.secondsPerRound))
  }
}
