// What a program of one's own imports to train a network: these modules, under one name.

@_exported import Augmentation
@_exported import Checkpoints
@_exported import Communication
@_exported import DataParallel
@_exported import Datasets
@_exported import Digests
@_exported import Failures
@_exported import Models
@_exported import NeuralNetwork
@_exported import Optimizers
@_exported import Training
