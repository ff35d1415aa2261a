"""Training images/s of JAX in one process: the whole step, Adam included, in one jit."""

import measurement

arguments = measurement.parse_arguments(__doc__)
threads = measurement.pin(arguments.cores)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402

import mnist  # noqa: E402

BATCH = 100
CONVOLUTIONS = [(1, 16, 1), (16, 16, 1), (16, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 1)]
AFFINES = [(1024, 50), (50, 10)]


def initial_parameters(key):
    parameters = []
    for shape in [(3, 3, inputs, outputs) for inputs, outputs, _ in CONVOLUTIONS] + AFFINES:
        key, used = jax.random.split(key)
        parameters.append((jax.nn.initializers.he_normal()(used, shape), jnp.zeros(shape[-1])))
    return parameters


def dropout(key, x):
    return x * (jax.random.uniform(key, x.shape) > 0.5)


def loss(parameters, images, labels, key):
    x = images
    for index, (weight, bias) in enumerate(parameters[:6]):
        padding = [(CONVOLUTIONS[index][2],) * 2] * 2
        x = lax.conv_general_dilated(x, weight, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jax.nn.relu(x + bias)
        if index % 2 == 1:
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    hidden_key, output_key = jax.random.split(key)
    (hidden_weight, hidden_bias), (output_weight, output_bias) = parameters[6:]
    x = dropout(hidden_key, jax.nn.relu(x.reshape(BATCH, -1) @ hidden_weight + hidden_bias))
    x = dropout(output_key, x @ output_weight + output_bias)
    return -jnp.take_along_axis(jax.nn.log_softmax(x), labels[:, None], axis=1).mean()


@jax.jit
def train(state, images, labels, batch):
    parameters, first, second, count, key = state
    key, used = jax.random.split(key)
    gradient = jax.grad(loss)(parameters, images[batch], labels[batch], used)
    count += 1
    rate = 0.001 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    first = jax.tree.map(lambda m, g: m + 0.1 * (g - m), first, gradient)
    second = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), second, gradient)
    parameters = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), parameters, first, second)
    return parameters, first, second, count, key


pixels, digits, data = mnist.training_set()
images = jnp.asarray(pixels.transpose(0, 2, 3, 1))
labels = jnp.asarray(digits)
batches = measurement.epochs(len(digits), BATCH)

weights = initial_parameters(jax.random.key(0))
zeros = jax.tree.map(jnp.zeros_like, weights)
state = (weights, zeros, zeros, jnp.zeros(()), jax.random.key(1))


def step():
    global state
    state = train(state, images, labels, jnp.asarray(next(batches)))


rates = measurement.images_per_second(
    step, BATCH, arguments.seconds, synchronize=lambda: jax.block_until_ready(state)
)
measurement.report(arguments.name, rates, data=data, threads=threads)
