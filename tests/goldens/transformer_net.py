"""The network of pytorch/examples, by its own names, for the test of `infer convert --layout pytorch-examples`."""
import torch


class Conv(torch.nn.Module):
    def __init__(self, channels, outputs, kernel, stride=1, scale=1):
        super().__init__()
        self.scale = scale
        self.conv2d = torch.nn.Conv2d(channels, outputs, kernel, stride)

    def forward(self, x):
        if self.scale > 1:
            x = torch.nn.functional.interpolate(x, scale_factor=self.scale, mode="nearest")
        side = self.conv2d.kernel_size[0] // 2
        return self.conv2d(torch.nn.functional.pad(x, (side,) * 4, mode="reflect"))


def norm(channels):
    return torch.nn.InstanceNorm2d(channels, affine=True)


class Block(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.in1 = Conv(channels, channels, 3), norm(channels)
        self.conv2, self.in2 = Conv(channels, channels, 3), norm(channels)

    def forward(self, x):
        return x + self.in2(self.conv2(self.in1(self.conv1(x)).relu()))


class TransformerNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.in1 = Conv(3, 32, 9), norm(32)
        self.conv2, self.in2 = Conv(32, 64, 3, stride=2), norm(64)
        self.conv3, self.in3 = Conv(64, 128, 3, stride=2), norm(128)
        self.res1, self.res2, self.res3, self.res4, self.res5 = (Block(128) for _ in range(5))
        self.deconv1, self.in4 = Conv(128, 64, 3, scale=2), norm(64)
        self.deconv2, self.in5 = Conv(64, 32, 3, scale=2), norm(32)
        self.deconv3 = Conv(32, 3, 9)

    def forward(self, x):
        for conv, norm in ((self.conv1, self.in1), (self.conv2, self.in2), (self.conv3, self.in3)):
            x = norm(conv(x)).relu()
        for block in (self.res1, self.res2, self.res3, self.res4, self.res5):
            x = block(x)
        x = self.in4(self.deconv1(x)).relu()
        return self.deconv3(self.in5(self.deconv2(x)).relu())
