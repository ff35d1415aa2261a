import Failures

/// Which settings cannot be together.
extension SettingsReading {
  /// The settings that were read.
  ///
  /// - Throws: `.configuration` where some of them cannot be together.
  func finish() throws(Failure) -> Settings {
    try checkListLengths()
    let (batch, microbatch) = (settings.training.batch, settings.training.microbatch)
    guard microbatch <= batch else {
      throw contradiction(
        ("training.microbatch", "training.microbatch \(microbatch)"), "is larger than",
        ("training.batch", "training.batch \(batch)"),
        remedy: "a batch is cut into microbatches: set training.microbatch to \(batch) or less")
    }
    let patience = settings.training.earlyStoppingPatience
    guard patience == 0 || settings.dataset.validationSamples > 0 else {
      throw contradiction(
        ("training.early_stopping_patience", "training.early_stopping_patience \(patience)"),
        "has nothing to watch with",
        ("dataset.validation_samples", "dataset.validation_samples 0"),
        remedy: "hold back a part of the training samples, such as dataset.validation_samples=5000")
    }
    let views = settings.evaluation.views
    guard views == 1 || settings.augmentation.isMoreThanErasing else {
      throw contradiction(
        ("evaluation.views", "evaluation.views \(views)"), "has no copies to look at with",
        ("augmentation.erasing", "no augmentation but erasing"),
        remedy: "set evaluation.views to 1, or turn on what training was augmented with, such as augmentation.shift=1.5"
      )
    }
    try checkSharding()
    try checkLocalSteps()
    try checkGroups("communication.compression_groups", settings.communication.compressionGroups)
    try checkGroups("communication.local_groups", settings.communication.localGroups)
    return settings
  }

  /// Each list has one element a convolution.
  private func checkListLengths() throws(Failure) {
    let model = settings.model
    let filters = ("model.filters", model.filters.count)
    let others = [
      ("model.filter_sizes", model.filterSizes.count), ("model.paddings", model.paddings.count),
      ("model.strides", model.strides.count),
    ]
    for other in others where other.1 != filters.1 {
      throw contradiction(
        (other.0, "\(other.0) of length \(other.1)"), "does not fit",
        (filters.0, "\(filters.0) of length \(filters.1)"),
        remedy: "give model.filters, filter_sizes, paddings and strides one element for each convolution")
    }
  }

  private func checkGroups(_ key: String, _ groups: Int) throws(Failure) {
    guard groups.nonzeroBitCount != 1 else { return }
    let place = places[key].map { "\($0): " } ?? ""
    throw Failure(
      .configuration, "\(place)\(key) is \(groups), which is no power of two",
      remedy: "the gradient's tree has levels of 1, 2, 4, 8, … nodes: choose one of these")
  }

  /// What needs one gradient or one state for all, in every step.
  private func checkLocalSteps() throws(Failure) {
    let steps = settings.communication.localSteps
    guard steps > 1 else { return }
    let local = ("communication.local_steps", "communication.local_steps \(steps)")
    func refuse(_ key: String, _ value: String, _ remedy: String) -> Failure {
      contradiction(local, "does not go with", (key, "\(key) \(value)"), remedy: remedy)
    }
    let compression = settings.communication.compression
    guard compression == .none else {
      throw refuse(
        "communication.compression", compression.rawValue,
        "what travels are weights and moments, and no gradients: turn one of the two off")
    }
    guard !settings.optimizer.sharded else {
      throw refuse(
        "optimizer.sharded", "true", "each group needs the whole state of an optimizer: turn one of the two off")
    }
    let verification = settings.reliability.verifyEvery
    guard verification == 0 else {
      throw refuse(
        "reliability.verify_every", "\(verification)",
        "a neighbour has other weights than the group whose microbatch it would compute: turn one of the two off")
    }
    let checkpoints = settings.checkpoint.everySteps
    guard checkpoints % steps == 0 else {
      throw refuse(
        "checkpoint.every_steps", "\(checkpoints)",
        "between averages each group has another state: write one at multiples of \(steps)")
    }
  }

  /// What a slice of the gradient is not enough for.
  private func checkSharding() throws(Failure) {
    guard settings.optimizer.sharded else { return }
    let sharded = ("optimizer.sharded", "optimizer.sharded true")
    guard settings.optimizer.name != .lamb else {
      throw contradiction(
        sharded, "does not go with", ("optimizer.name", "optimizer.name lamb"),
        remedy: "lamb needs norms of whole tensors, of which a rank would have a slice: choose adam or sgd, or set "
          + "optimizer.sharded to false")
    }
    let compression = settings.communication.compression
    guard compression == .none else {
      throw contradiction(
        sharded, "does not go with",
        ("communication.compression", "communication.compression \(compression.rawValue)"),
        remedy: "compressed gradients come to every rank in whole, so that none has a slice of its own: turn one of "
          + "the two off")
    }
  }

  /// Two settings that cannot both be. The message begins with the place of the first of them that was set, and says of
  /// the other where it is from.
  private func contradiction(
    _ first: (key: String, text: String), _ verb: String, _ second: (key: String, text: String), remedy: String
  ) -> Failure {
    let place = places[first.key] ?? places[second.key]
    func said(_ setting: (key: String, text: String)) -> String {
      places[setting.key] == place ? setting.text : "\(setting.text) (\(places[setting.key] ?? "default"))"
    }
    let cause = "\(said(first)) \(verb) \(said(second))"
    return Failure(.configuration, place.map { "\($0): \(cause)" } ?? cause, remedy: remedy)
  }
}
