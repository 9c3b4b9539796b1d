"""What a page or mail about a crash leaves out: whatever was typed into a field whose name says that it is secret, with DEBUG on as well.

Django's own filter rests while DEBUG is on, and knows only the fields that a view has named."""

from types import FrameType
from typing import Any

from django.http import HttpRequest, QueryDict
from django.views.debug import SafeExceptionReporterFilter


class NothingSecret(SafeExceptionReporterFilter):
    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        return self._without_secrets(super().get_post_parameters(request))

    def get_cleansed_multivaluedict(self, request: HttpRequest, multivaluedict: QueryDict) -> Any:
        return self._without_secrets(super().get_cleansed_multivaluedict(request, multivaluedict))

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> Any:
        """What is under way in exchanges holds keys, opened and as headers, and most of it runs in a thread of its own, out of reach of a
        view that declares its variables sensitive."""
        if str(tb_frame.f_globals.get("__name__")).startswith("exchanges."):
            return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]
        return super().get_traceback_frame_variables(request, tb_frame)

    def _without_secrets(self, values: Any) -> Any:
        secret = [name for name in values if self.hidden_settings.search(name)]
        if not secret:
            return values
        values = values.copy()
        for name in secret:
            values[name] = self.cleansed_substitute
        return values
