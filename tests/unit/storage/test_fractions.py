"""Products with decimal fractions, against whole numbers."""

from hypothesis import given
from hypothesis import strategies as st

from netsurgery.storage.fractions import ceil_product, floor_product, product

PARTS = st.sampled_from([10, 100, 1000, 10_000])
COUNTS = st.integers(0, 10**7)


@given(st.integers(0, 20_000), PARTS, COUNTS)
def test_products_are_those_of_the_decimal_number(numerator, parts, count):
    fraction = numerator / parts
    assert floor_product(fraction, count) == numerator * count // parts
    assert ceil_product(fraction, count) == -(-numerator * count // parts)


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_a_product_of_decimals_reads_as_the_decimal(a, b):
    assert float(product(a / 1000, b / 1000)) == float(f"{a * b}e-6")
