# A formula for Homebrew. scripts/installers.ts fills in what is between at signs from the tarballs of a release.
class FadeCompressor < Formula
  desc "Lossless compressor whose model learns the data while it compresses"
  homepage "@HOMEPAGE@"
  version "@VERSION@"
  license "MIT"

  on_macos do
    on_arm do
      url "@URL_DARWIN_ARM64@"
      sha256 "@SHA256_DARWIN_ARM64@"
    end
    on_intel do
      url "@URL_DARWIN_X64@"
      sha256 "@SHA256_DARWIN_X64@"
    end
  end

  on_linux do
    on_arm do
      url "@URL_LINUX_ARM64@"
      sha256 "@SHA256_LINUX_ARM64@"
    end
    on_intel do
      url "@URL_LINUX_X64@"
      sha256 "@SHA256_LINUX_X64@"
    end
  end

  def install
    bin.install Dir["bin/*"]
    man1.install Dir["share/man/man1/*"]
    bash_completion.install "share/bash-completion/completions/fade"
    zsh_completion.install "share/zsh/site-functions/_fade"
    fish_completion.install "share/fish/vendor_completions.d/fade.fish"
  end

  test do
    (testpath/"plain").write "fade " * 1000
    system bin/"fade", "-q", "plain"
    system bin/"unfade", "-q", "plain.fade", "-o", "back"
    assert_equal (testpath/"plain").read, (testpath/"back").read
  end
end
