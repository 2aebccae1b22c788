"""Operations with more than one implementation: one folder each, its reference beside its fast kernels."""
