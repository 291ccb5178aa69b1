"""Widen a trained Keras model without changing its predictions, train on, and remove a layer.

Run it with `python examples/surgery.py [OUTPUT.keras]`. It takes a few seconds.
"""

import sys

import keras
import numpy as np
from sklearn.datasets import load_digits

from netsurgery import ADD_CHANNELS, REMOVE_DENSE, Mutation, apply, list_mutations

# an ordinary Keras model, trained as usual
keras.utils.set_random_seed(0)
images, labels = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1) / 16
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(4, 3, padding="same", activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    keras.optimizers.SGD(0.05, momentum=0.9),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(images, labels, epochs=5, verbose=0)
before = model.predict(images, verbose=0)

# what the model allows
for found in list_mutations(model):
    mutation = found.mutation
    print(
        f"{mutation.operation.name:<16} {mutation.position!s:<4} {found.parameters:>6,}",
        found.where,
    )

# four more channels: the model predicts the same, and keeps its optimizer's momentum
wider = apply(model, Mutation(ADD_CHANNELS, position=0, width=8))
print(wider.summary)
after = wider.model.predict(images, verbose=0)
print(f"largest change of a prediction: {np.abs(after - before).max():.0e}")

# train on, with the same compile settings
wider.model.fit(images, labels, epochs=5, verbose=0)
print(f"accuracy after training on: {wider.model.evaluate(images, labels, verbose=0)[1]:.3f}")

# remove the hidden dense layer; the output layer is fitted to 500 samples
smaller = apply(wider.model, Mutation(REMOVE_DENSE, position=3), calibration=images[:500])
print(smaller.summary)
print(f"accuracy without the layer: {smaller.model.evaluate(images, labels, verbose=0)[1]:.3f}")

if len(sys.argv) > 1:
    smaller.model.save(sys.argv[1])
