"""Conversations that go on, overseen: `recordings` pauses, resumes and stops what is recorded of them, `listening` lets
supervisors listen, whisper, barge in and take over.
"""
