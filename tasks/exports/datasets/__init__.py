"""Every dataset, by name: each module of this folder declares one as DATASET."""

import importlib
import pkgutil

from tasks.exports.dataset import Dataset

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for module in pkgutil.iter_modules(__path__)
    for dataset in [importlib.import_module(f"{__name__}.{module.name}").DATASET]
}
