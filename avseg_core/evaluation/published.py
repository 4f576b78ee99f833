"""The published results that ours can be put beside: Table 1 of the AVSegFormer paper."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "Gao et al., AVSegFormer: Audio-Visual Segmentation with Transformer, Table 1"
CAVEAT = (
    "Published rows were measured at 224 px under the avsbench protocol; the scripts of AVSBench and AVSegFormer used "
    "batches of 4 clips, for the other rows the batch size is not stated. Later figures of the AVSegFormer "
    "repository (83.06 and 61.33 mIoU for PVTv2 on S4 and MS3) are for 512 px and its second generation."
)
IMAGE_SIZE = 224
SPLIT = "test"
CLIPS_PER_BATCH = 4
Pair = tuple[float, float] | None
"""F-score and mIoU as printed (mIoU in percent, F in percent); None where the table has a dash."""


@dataclass(frozen=True)
class PublishedRow:
    """One row of the table."""

    method: str
    backbone: str
    reference: str
    s4: Pair
    ms3: Pair
    avss: Pair

    def result(self, dataset: str) -> Pair:
        """F-score and mIoU on "s4", "ms3" or "avss"."""
        results: dict[str, Pair] = {"s4": self.s4, "ms3": self.ms3, "avss": self.avss}
        return results.get(dataset)


TABLE_1 = (
    PublishedRow("LVS", "ResNet-50", "CVPR 2021", (51.0, 37.94), (33.0, 29.45), None),
    PublishedRow("MSSL", "ResNet-18", "ECCV 2020", (66.3, 44.89), (36.3, 26.13), None),
    PublishedRow("3DC", "ResNet-34", "BMVC 2020", (75.9, 57.10), (50.3, 36.92), (21.6, 17.27)),
    PublishedRow("SST", "ResNet-101", "CVPR 2021", (80.1, 66.29), (57.2, 42.57), None),
    PublishedRow("AOT", "Swin-B", "NeurIPS 2021", None, None, (31.0, 25.40)),
    PublishedRow("iGAN", "Swin-T", "arXiv 2022", (77.8, 61.59), (54.4, 42.89), None),
    PublishedRow("LGVT", "Swin-T", "NeurIPS 2021", (87.3, 74.94), (59.3, 40.71), None),
    PublishedRow("AVSBench-R50", "ResNet-50", "ECCV 2022", (84.8, 72.79), (57.8, 47.88), (25.2, 20.18)),
    PublishedRow("AVSegFormer-R50", "ResNet-50", "AVSegFormer paper", (85.9, 76.45), (62.8, 49.53), (29.3, 24.93)),
    PublishedRow("AVSBench-PVTv2", "PVTv2", "ECCV 2022", (87.9, 78.74), (64.5, 54.00), (35.2, 29.77)),
    PublishedRow("AVSegFormer-PVTv2", "PVTv2", "AVSegFormer paper", (89.9, 82.06), (69.3, 58.36), (42.0, 36.66)),
)
