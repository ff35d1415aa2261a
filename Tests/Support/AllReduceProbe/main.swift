// One rank of a job that does nothing but reduce made-up gradients, so that tests can see the bits and the faults of
// the layers below the trainer, under a real launcher. Not a product.

import Communication
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the trainer does with an error: one line, then the end of the whole job.
func end(_ communicator: (any Communicator)?, _ failure: Failure) -> Never {
  let line = "probe: rank \(communicator?.rank ?? 0): \(failure)\n"
  line.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
  guard let communicator else { exit(failure.code.rawValue) }
  communicator.abort(failure.code)
}

func work(_ arguments: Arguments, _ communicator: any Communicator) throws(Failure) {
  try reduce(arguments, communicator)
  try communicator.finish()
}

do throws(Failure) {
  let arguments = try Arguments(CommandLine.arguments.dropFirst())
  if let replicas = arguments.replicas {
    _ = try InProcessReplicas.run(count: replicas, timeout: arguments.timeout) { (communicator) throws(Failure) in
      try work(arguments, communicator)
    }
  } else {
    let launcher = Launcher.detect()
    let communicator: any Communicator =
      launcher == nil ? SingleProcess() : try MPICommunicator(launcher: launcher, timeout: arguments.timeout)
    do throws(Failure) {
      try work(arguments, communicator)
    } catch {
      end(communicator, error)
    }
  }
} catch {
  end(nil, error)
}
