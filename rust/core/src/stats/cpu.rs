//! Kernels that the compiler vectorises, compiled once for each instruction set. Those written in
//! instructions of one set, such as the look-ups of a scenario, choose among themselves.

use crate::isa::Isa;

/// Work whose inner loops are inlined where the wide instructions are.
pub(super) trait Kernel {
    /// What comes of it.
    type Out;

    /// Does it. `TILE` columns times `TILE` columns of sums fit into the registers. Must be
    /// `#[inline(always)]`, with all that it calls.
    fn run<const TILE: usize>(self) -> Self::Out;
}

/// Runs a kernel on the best that this CPU has, at most `isa`. The bits are the same on each.
pub(super) fn run<K: Kernel>(isa: Isa, kernel: K) -> K::Out {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        fn avx512<K: Kernel>(kernel: K) -> K::Out {
            kernel.run::<4>()
        }

        #[target_feature(enable = "avx2,fma")]
        fn avx2<K: Kernel>(kernel: K) -> K::Out {
            kernel.run::<2>()
        }

        if isa != Isa::Portable && isa.is_available() && is_x86_feature_detected!("fma") {
            return match isa {
                // SAFETY: the features were detected.
                Isa::Avx512 | Isa::Avx512Vbmi => unsafe { avx512(kernel) },
                // SAFETY: the features were detected.
                _ => unsafe { avx2(kernel) },
            };
        }
    }
    kernel.run::<2>()
}
