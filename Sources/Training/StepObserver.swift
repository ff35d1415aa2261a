import Communication
import DataParallel
import Failures
import NeuralNetwork

/// What the thread that runs a rank's steps is doing around the reduction.
public enum StepStage: Equatable, Sendable {
  /// A step begins. Its number in the run, from 1.
  case step(Int)
  /// An evaluation begins, after so many steps; 0 where there is no run.
  case evaluation(afterStep: Int)
  /// Putting the samples of an epoch in order.
  case ordering
  /// The optimizer.
  case update
  /// Bringing the parameters into the kernels' form.
  case preparation
  /// The step or the evaluation is over.
  case idle
}

/// Told what a rank is doing inside its steps and evaluations, to measure it.
///
/// Called on the workers' threads, several at a time, each with its own number.
public protocol StepObserver: ReductionObserver {
  /// On the thread of worker 0.
  func enters(_ stage: StepStage)
  /// Follows the worker's `.computation`.
  func worker(_ worker: Int, computes microbatch: Int)
  /// Who is told what a worker does inside a microbatch.
  func workspaceObserver(ofWorker worker: Int) -> any WorkspaceObserver
}

/// Makes records of whole runs, one on each of their ranks.
public protocol RunRecorder: Sendable {
  /// Called on every rank when all is ready for the first step; may exchange with the other ranks.
  ///
  /// - Parameter threads: the workers of each rank.
  func record(
    _ network: Network, threads: Int, communicator: any Communicator
  ) throws(Failure) -> any RunRecord
}

/// The record of a run on one rank.
public protocol RunRecord: StepObserver {
  /// Called on every rank when the run has ended well or has stopped as asked; may exchange with the other ranks.
  func finish() throws(Failure)
}
