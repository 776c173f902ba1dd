"""srlens: which input pixels did a super-resolution network use?"""
