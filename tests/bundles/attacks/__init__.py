"""Attack corpus: bundles that would run, write or send something, none of which is judged safe."""
