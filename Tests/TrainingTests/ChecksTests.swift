import Communication
import DataParallel
import Datasets
import Failures
import NeuralNetwork
import Synchronization
import Testing

@testable import Training

@Suite struct ChecksTests {
  /// Whether a run is told of an error that was made on purpose.
  private func failure(
    ofRunWith flip: BitFlip, ranks: Int, _ change: (inout SmallJob) -> Void
  ) -> Failure? {
    var job = SmallJob()
    change(&job)
    let small = job
    do throws(Failure) {
      _ = try InProcessReplicas.run(count: ranks) { (communicator) throws(Failure) in
        try small.run(on: communicator, prepare: { $0.bitFlip = flip })
      }
      return nil
    } catch { return error }
  }

  @Test(arguments: 2...4) func anotherBitOfOneRanksWeightsIsFoundAtTheNextAgreement(_ ranks: Int) throws {
    for rank in 0..<ranks {
      let failure = failure(ofRunWith: BitFlip(.weights, rank: rank, step: 2, index: 80), ranks: ranks) {
        $0.settings.reliability.agreeEvery = 3
      }
      let cause = try #require(failure).cause
      // W1 has 8 filters of 9 weights; 80 is the first of W2. Of two ranks nobody can say which errs.
      #expect(cause.contains("after step 3 not all ranks have the state"), "\(cause)")
      #expect(cause.contains("rank \(ranks == 2 ? 1 : rank) ("), "\(cause)")
      #expect(cause.hasSuffix("first in W2"), "\(cause)")
    }
  }

  @Test func statesAreComparedBeforeEveryCheckpointAndAtTheEnd() throws {
    // Four steps an epoch, eight in all.
    for (step, checkpoints, found) in [(1, 0, 4), (5, 0, 8), (8, 0, 8), (1, 2, 2), (5, 3, 6)] {
      let failure = failure(ofRunWith: BitFlip(.weights, rank: 1, step: step), ranks: 2) {
        $0.settings.reliability.agreeEvery = 0
        $0.settings.checkpoint.everySteps = checkpoints
      }
      #expect(try #require(failure).cause.contains("after step \(found) not all"))
    }
  }

  @Test func aloneThereIsNobodyToDisagree() {
    #expect(failure(ofRunWith: BitFlip(.weights, rank: 0, step: 2), ranks: 1) { _ in } == nil)
  }

  @Test(arguments: 1...4) func anotherBitOfOneGradientIsFoundInItsStep(_ ranks: Int) throws {
    for rank in 0..<ranks {
      for step in 1...3 {
        let failure = failure(ofRunWith: BitFlip(.gradient, rank: rank, step: step, index: 7), ranks: ranks) {
          $0.settings.reliability.verifyEvery = 1
        }
        let tree = GradientTree(leaves: 5, ranks: ranks).leaves(ofRank: rank)
        let microbatch = tree.lowerBound + step % tree.count
        let cause = try #require(failure).cause
        #expect(cause.contains("at step \(step) rank \(rank) ("), "\(cause)")
        #expect(cause.contains("microbatch \(microbatch) "), "\(cause)")
        if ranks > 1 { #expect(cause.contains(" than rank \((rank + 1) % ranks) ("), "\(cause)") }
      }
    }
  }

  @Test func whatIsNotVerifiedIsNotFound() {
    #expect(failure(ofRunWith: BitFlip(.gradient, rank: 1, step: 3), ranks: 2) { _ in } == nil)
    let between = failure(ofRunWith: BitFlip(.gradient, rank: 1, step: 3), ranks: 2) {
      $0.settings.reliability.verifyEvery = 2
    }
    #expect(between == nil)
  }

  @Test(arguments: 1...5) func everyMicrobatchHasItsTurn(_ ranks: Int) {
    for leaves in 1...11 {
      var verified: Set<Int> = []
      for turn in 0..<leaves {
        let tree = GradientTree(leaves: leaves, ranks: ranks)
        for rank in 0..<ranks {
          let leaf = GradientVerification.microbatch(ofRank: rank, turn: turn, in: tree)
          if let leaf { verified.insert(leaf) }
        }
      }
      #expect(verified == Set(0..<leaves))
    }
  }

  @Test func checksLeaveTheBitsAsTheyAre() throws {
    let plain = try SmallJob().run(on: SingleProcess())
    var job = SmallJob()
    job.settings.reliability.verifyEvery = 1
    job.settings.reliability.agreeEvery = 1
    for threads in 1...3 {
      job.settings.training.threads = threads
      for replicas in 1...4 { #expect(try job.run(replicas: replicas) == plain) }
    }
  }

  @Test func theDigestsOfAStepAreTheSameAtAnyNumberOfRanksAndThreads() throws {
    var all: Set<[String]> = []
    for (ranks, threads) in [(1, 1), (1, 3), (2, 2), (3, 1), (5, 1)] {
      var job = SmallJob()
      job.settings.training.threads = threads
      let small = job
      let records = Mutex<[GradientRecord]>([])
      _ = try InProcessReplicas.run(count: ranks) { (communicator) throws(Failure) in
        try small.run(on: communicator) { trainer in
          trainer.recordGradients(ofStep: 6) { found in records.withLock { $0 = found } }
        }
      }
      let found = records.withLock { $0 }
      #expect(found.map(\.microbatch) == Array(0..<5) && Set(found.map(\.rank)) == Set(0..<ranks))
      all.insert(found.map { $0.digest.hexadecimal })
    }
    #expect(all.count == 1 && Set(all.first ?? []).count == 5)
  }

  @Test(arguments: [
    "", "weights", "weights:1", "weights:1:2:3:4", "weight:1:2", "gradient:-1:2", "gradient:1:x", "gradient:1:2:",
    "gradient::2", "weights:1:99999999999999999999",
  ])
  func whatAsksForNoErrorIsRefused(_ text: String) {
    let failure = #expect(throws: Failure.self) { try BitFlip(text) }
    #expect(failure?.code == .usage)
  }

  @Test func whatAsksForOneIsRead() throws {
    #expect(try BitFlip("weights:1:20") == BitFlip(.weights, rank: 1, step: 20))
    #expect(try BitFlip("gradient:0:3:77") == BitFlip(.gradient, rank: 0, step: 3, index: 77))
  }
}

@Suite struct NonFiniteTests {
  /// Black images but for one that is white; all labels are 0.
  private struct OneWhite: Dataset {
    let name = "one-white"
    let origin = "made by a test"
    let count = 37
    let imageShape = ImageShape(channels: 1, height: 28, width: 28)
    let classCount = 10
    let white: Int

    func read(_ index: Int, into pixels: UnsafeMutablePointer<UInt8>) -> Int {
      pixels.update(repeating: index == white ? 255 : 0, count: imageShape.pixelCount)
      return 0
    }
  }

  /// What a run ends with whose initial weights were changed.
  private func failure(white: Int, ranks: Int, _ change: @escaping @Sendable (Network) -> Void) -> Failure? {
    var job = SmallJob()
    job.settings.model.dropoutRatio = 0
    let small = job
    do throws(Failure) {
      _ = try InProcessReplicas.run(count: ranks) { (communicator) throws(Failure) in
        let network = try small.network()
        if communicator.rank == 0 {
          network.parameters.initialize(seed: 0)
          change(network)
        }
        let trainer = try Trainer(
          network: network, optimizer: small.settings.makeOptimizer(for: network.parameters),
          training: OneWhite(white: white), test: OneWhite(white: white),
          schedule: small.settings.schedule(maximumSteps: nil, threads: 1), communicator: communicator)
        do throws(Failure) { _ = try trainer.run() } catch {
          throw Failure(error.code, "by itself: \(error.cause)", remedy: error.remedy)
        }
      }
      return nil
    } catch { return error }
  }

  private func set(_ network: Network, _ name: String, _ value: (Int) -> Float) {
    guard let tensor = network.parameters.tensor(named: name) else { return }
    for index in 0..<tensor.count { network.parameters.values(of: tensor)[index] = value(index) }
  }

  @Test(arguments: [0, 11, 36]) func theLayerTheMicrobatchAndTheSampleAreNamed(_ white: Int) throws {
    let order = EpochOrder(sampleCount: 37, seed: 0)
    order.prepare(epoch: 0)
    let place = try #require((0..<37).first { order[$0] == white })
    for (tensor, layer) in [("W1", "convolution 1"), ("W2", "convolution 2")] {
      for ranks in 1...4 {
        let failure = failure(white: white, ranks: ranks) { network in
          set(network, tensor) { _ in 3e38 }
          // So that the white image reaches the second layer as it is.
          if tensor == "W2" { set(network, "W1") { _ in 1 } }
        }
        let cause = try #require(failure).cause
        #expect(cause.hasPrefix("by itself: the loss is "), "\(cause)")
        #expect(cause.contains(" at step \(place / 10 + 1) (epoch 1): "), "\(cause)")
        #expect(
          cause.contains("in the output of \(layer), in microbatch \(place % 10 / 2), sample \(white) of"), "\(cause)")
      }
    }
  }

  @Test func aGradientThatOverflowsUnderAFiniteLossIsFound() throws {
    var messages: Set<String> = []
    for ranks in 1...3 {
      let failure = failure(white: -1, ranks: ranks) { network in
        // The hidden layer gives 1e-30, the scores are finite; what goes back through 3e38 twice is not.
        set(network, "b3") { _ in 1e-30 }
        set(network, "W4") { $0 % 10 == 0 ? -3e38 : 3e38 }
      }
      messages.insert(try #require(failure).cause)
    }
    let cause = try #require(messages.first)
    #expect(messages.count == 1)
    #expect(cause.contains("the gradient is not finite at step 1 (epoch 1): "), "\(cause)")
    #expect(cause.contains("in the gradient of the output of dropout 5, in microbatch 0, samples "), "\(cause)")
    #expect(cause.contains("and others in 4 more of the batch's microbatches"), "\(cause)")
  }

  @Test func parametersThatAreNotFiniteAreToldApart() throws {
    let failure = failure(white: 3, ranks: 2) { network in set(network, "b2") { $0 == 1 ? .nan : 0 } }
    #expect(try #require(failure).cause.contains("the parameters are not finite before it, first b2"))
  }
}
