"""Which kinds of numbers this processor computes fast with PyTorch. Imports it only when asked."""


def has_bfloat16_instructions() -> bool:
    """Whether the processor multiplies bfloat16 numbers itself; else PyTorch falls back to a slow reference."""
    import torch

    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def has_int8_instructions() -> bool:
    """Whether the processor multiplies int8 numbers in one step (VNNI, with or without AVX-512): oneDNN is the faster
    way there.
    """
    return _can("avx512_vnni") or _can("avx_vnni")


def has_signed_int8_instructions() -> bool:
    """Whether it multiplies signed with signed int8 numbers (AMX).

    Of VNNI one side is unsigned; for two signed ones oneDNN 3.12 has only a reference that takes 600 times as long.
    """
    return _can("amx_int8")


def best_precision() -> str:
    """The fastest precision on this processor: int8 on x86 with AVX2, bfloat16 on others that have instructions for
    it, else float32.
    """
    import torch

    fbgemm = "fbgemm" in torch.backends.quantized.supported_engines
    if has_int8_instructions() or (fbgemm and torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")):
        return "int8"
    return "bfloat16" if has_bfloat16_instructions() else "float32"


def _can(instructions: str) -> bool:
    import torch

    return bool(torch.cpu.get_capabilities().get(instructions, False))
