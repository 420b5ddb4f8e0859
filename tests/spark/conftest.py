"""One cluster for all tests on Spark."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from tests.kit import spark as on_spark


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    with on_spark.cluster(tmp_path_factory.mktemp("cluster")) as session:
        yield session
