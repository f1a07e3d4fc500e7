"""Small pieces of code that an exported file carries where it needs them."""

from __future__ import annotations

import re

SNIPPETS = {
    "DropPath": '''
class DropPath(nn.Module):
    """While training, zeroes the value for a share `rate` of the examples."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training or self.rate == 0:
            return x
        keep = 1 - self.rate
        mask = x.new_empty([len(x)] + [1] * (x.dim() - 1)).bernoulli_(keep)
        return x * mask / keep
''',
    "SequenceDropout": '''
class SequenceDropout(nn.Module):
    """While training, zeroes the same channels at every step of a sequence."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate
        self.mask = None  # of one sequence, where the steps come one by one

    def forward(self, x):
        if not self.training or self.rate == 0:
            return x
        if x.dim() == 3:  # [B, T, C], the whole sequence at once
            return x * self.draw(x[:, :1])
        if self.mask is None:
            self.mask = self.draw(x)
        return x * self.mask

    def draw(self, x):
        return torch.empty_like(x).bernoulli_(1 - self.rate) / (1 - self.rate)
''',
    "begin_sequence": '''
def begin_sequence(cell):
    """Lets every dropout of a cell draw anew."""
    for part in cell.modules():
        if isinstance(part, SequenceDropout):
            part.mask = None
''',
    "AvgPoolSame": '''
class AvgPoolSame(nn.Module):
    """Average over an even window, padded by one more behind; padding does not count."""

    def __init__(self, kernel, stride):
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x):
        before = (self.kernel - 1) // 2
        pads = (before, self.kernel - 1 - before) * 2
        ones = F.pad(torch.ones_like(x[:1, :1]), pads)
        mean = F.avg_pool2d(F.pad(x, pads), self.kernel, self.stride)
        return mean / F.avg_pool2d(ones, self.kernel, self.stride)
''',
    "attention": '''
def attention(q, k, v, heads, causal):
    """Scaled dot products, the channels dealt out over the heads."""
    q, k, v = (x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    x = F.scaled_dot_product_attention(q, k, v, is_causal=causal)  # [B, heads, T, C / heads]
    return x.transpose(1, 2).flatten(2)
''',
    "channel_shuffle": '''
def channel_shuffle(x, groups):
    """Channels dealt out over the groups in turn."""
    return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)
''',
}


def needed(text: str) -> str:
    """The snippets that a text names, and those that they name."""
    names: list[str] = []
    while True:
        known = text + "".join(SNIPPETS[name] for name in names)
        more = [n for n in SNIPPETS if n not in names and re.search(rf"\b{n}\(", known)]
        more += ["SequenceDropout"] * ("begin_sequence" in more and "SequenceDropout" not in names)
        if not more:
            break
        names += dict.fromkeys(more)
    return "".join(f"\n{SNIPPETS[name]}" for name in SNIPPETS if name in names)
