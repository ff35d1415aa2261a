import Failures
import ProtocolBuffers

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a run tells TensorBoard: numbers, histograms, texts and pictures, in files of events in one folder.
///
/// A run that goes on adds a file; what the files before have of later steps is cut off, and a `SessionLog` with the
/// status START tells a TensorBoard that has them already to forget them.
public final class EventLog {
  private let file: EventFile
  private var histogram = Histogram()

  /// - Parameters:
  ///   - folder: is there already.
  ///   - step: steps made so far. What the files of the folder have of them stays, what comes behind is cut off.
  ///   - endsEpoch: whether the last of them ended an epoch: then its gradients stay, which nothing makes again.
  /// - Throws: `.cannotCreate`, `.inputOutput`, or `.noPermission`.
  public init(folder: String, goingOnAfter step: Int, endsEpoch: Bool = false) throws(Failure) {
    let earlier = try EventFolder(folder).cut(after: step, endsEpoch: endsEpoch)
    file = try EventFile(path: "\(folder)/\(EventFolder.newName(after: earlier))")
    file.add(step: 0) { $0.text(EventField.fileVersion, "brain.Event:2") }
    if step > 0 {
      file.add(step: step + 1) { $0.message(EventField.sessionLog) { $0.integer(1, 1) } }
    }
    flush()
  }

  /// What keeps the log from being written, from the first time on; nil where nothing does. Then nothing more is written,
  /// and what was written before stays whole.
  public var failure: Failure? {
    file.error.map {
      Failure(
        .inputOutput, "\(file.path): \(String(cString: strerror($0)))",
        remedy: "make room there; TensorBoard has the run up to here, and the metrics have all of it")
    }
  }

  /// Adds some numbers of one step, each by `scalar`. Allocates nothing.
  public func add(step: Int, _ scalars: (inout ProtocolBuffer) -> Void) {
    file.add(step: step) { $0.message(EventField.summary, scalars) }
  }

  /// Adds the histogram of some values, of which those that are not finite are left out.
  public func addHistogram(_ tag: String, _ values: UnsafeBufferPointer<Float>, step: Int) {
    histogram.count(values)
    file.add(step: step) { event in
      event.message(EventField.summary) { summary in
        summary.message(EventField.value) { value in
          value.text(EventField.tag, tag)
          value.message(EventField.histogram) { histogram.write(into: &$0) }
        }
      }
    }
  }

  /// Adds a text, which TensorBoard shows as Markdown.
  public func addText(_ tag: String, _ markdown: String, step: Int) {
    file.add(step: step) { event in
      event.message(EventField.summary) { summary in
        summary.message(EventField.value) { value in
          value.text(EventField.tag, tag)
          // A tensor of one text: DT_STRING is 7, and no dimensions.
          value.message(EventField.tensor) { tensor in
            tensor.integer(1, 7)
            tensor.message(2) { _ in }
            tensor.text(8, markdown)
          }
          // Whose it is: the plug-in's name, and DATA_CLASS_TENSOR.
          value.message(EventField.metadata) { metadata in
            metadata.message(1) { $0.text(1, "text") }
            metadata.integer(4, 2)
          }
        }
      }
    }
  }

  /// Adds a picture.
  ///
  /// - Parameters:
  ///   - png: a file in the format PNG.
  ///   - channels: 1 for gray, 3 for red, green and blue.
  public func addImage(_ tag: String, png: [UInt8], width: Int, height: Int, channels: Int, step: Int) {
    file.add(step: step) { event in
      event.message(EventField.summary) { summary in
        summary.message(EventField.value) { value in
          value.text(EventField.tag, tag)
          value.message(EventField.image) { image in
            image.integer(1, height)
            image.integer(2, width)
            image.integer(3, channels)
            image.data(4, png)
          }
        }
      }
    }
  }

  /// Writes what was kept.
  public func flush() { file.flush() }
}

extension ProtocolBuffer {
  /// A number with a name, in a summary; nothing where it is not finite.
  public mutating func scalar(_ tag: StaticString, _ number: Double) {
    guard number.isFinite else { return }
    message(EventField.value) { value in
      value.text(EventField.tag, tag)
      value.float(EventField.simpleValue, Float(number))
    }
  }
}
